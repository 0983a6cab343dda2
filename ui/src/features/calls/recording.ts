// What can be done with the recording of a call, at the exchange or on this computer, and how it is shown.

import type { CallView, RecordDo, RecordingName } from '../../bindings';
import type { Messages } from '../../i18n';
import type { IconName } from '../../shared/Icon.svelte';

export const RECORDING_ICONS: Readonly<Record<RecordingName, IconName>> = { off: 'record', on: 'record', paused: 'hold', failed: 'warn' };

/** How the buttons are marked. */
export const RECORD_ICONS: Readonly<Record<RecordDo, IconName>> = { start: 'record', resume: 'record', pause: 'hold', stop: 'stop' };

const FIRST: readonly RecordDo[] = ['start', 'resume', 'pause', 'stop'];

/** What the one key does: begin, wait, go on; ending only where nothing else is allowed. */
export function nextRecording(call: CallView): RecordDo | null {
  const may = call.recording?.may ?? [];
  return FIRST.find((one) => may.includes(one)) ?? null;
}

/** Whether the other key ends the recording. */
export function mayStopRecording(call: CallView): boolean {
  return nextRecording(call) !== 'stop' && (call.recording?.may.includes('stop') ?? false);
}

/** How far the recording of a call is, in words: what failed is named by where it did. */
export function recordingWords(texts: Messages, call: CallView): string {
  const { state, here } = call.recording ?? { state: 'off', here: false };
  return state === 'failed' && here ? texts.recording.failedHere : texts.recording.states[state];
}
