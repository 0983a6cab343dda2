// What a screen reader is told when the view changes: callers at once, the rest politely.

import type { AppView, CallView, CentreView, LinkName, QueueView } from '../bindings';
import { unreached } from '../features/accounts/reach';
import { recordingWords } from '../features/calls/recording';
import { duration, type Messages } from '../i18n';
import { SHOWN, spoken } from './keys';
import { targetName } from '../features/targets/words';
import { cameThrough, endReason, peerName } from './names';

/** Sentences for the two live regions; empty when there is nothing to say. */
export interface Announcement {
  urgent: string;
  polite: string;
}

/** The sentences that lead from one view to the next. */
export function announcement(texts: Messages, before: AppView, after: AppView, now: number): Announcement {
  const urgent = [...newCallers(texts, before, after, now), reachability(texts, before, after)];
  const polite = after.calls.flatMap((call) => callChange(texts, find(before, call.id), call));
  for (const call of before.calls) {
    if (call.state !== 'ended' && find(after, call.id) === undefined) {
      polite.push(texts.live.ended(peerName(texts, call.peer), ''));
    }
  }
  return { urgent: sentences(urgent), polite: sentences(polite) };
}

const LOST: readonly LinkName[] = ['lost', 'refused', 'elsewhere'];

/** What is worth a sentence of an exchange: its view lost or back, the agent's state, trouble with it. */
export function centreAnnouncement(texts: Messages, before: CentreView | undefined, after: CentreView): string {
  if (before === undefined) return '';
  const said: string[] = [];
  const lost = LOST.includes(after.link.state);
  if (lost && before.link.state !== after.link.state) said.push(`${texts.centre.link[after.link.state].what}.`);
  if (!lost && LOST.includes(before.link.state)) said.push(`${texts.centre.link[after.link.state].what}.`);
  const state = after.agent?.state ?? null;
  if (state !== null && state !== (before.agent?.state ?? null)) said.push(`${texts.agent.heading}: ${texts.agent.states[state]}.`);
  if (after.agent?.monitored === true && before.agent?.monitored === false) said.push(`${texts.agent.monitored}.`);
  for (const one of after.dispositions) {
    if (before.dispositions.some((old) => old.id === one.id)) continue;
    said.push(`${texts.disposition.ask(peerName(texts, one.peer))} ${one.forced ? `${texts.disposition.forced} ` : ''}${spoken(SHOWN.outcome) ?? ''}.`);
  }
  for (const warning of after.warnings) {
    // The question itself was just said.
    if (warning === 'disposition_needed') continue;
    if (!before.warnings.includes(warning)) said.push(texts.centre.warnings[warning]);
  }
  return sentences(said);
}

/** A queue that became too busy, once; figures that come and go are not said. */
export function queueAnnouncement(texts: Messages, before: QueueView | undefined, after: QueueView, now: number): string {
  const concerns = after.supervised || after.joined === true;
  if (!concerns || before === undefined || after.severity !== 'red' || before.severity === 'red') return '';
  const waiting = after.measures.find((one) => one.measure === 'waiting')?.value ?? after.entries.length;
  const longest = after.longest_since_ms === null ? '0:00' : duration(now - after.longest_since_ms);
  return `${after.name}: ${texts.live.waiting(waiting, longest)}.`;
}

/** One after the other, with a stop between them: else a voice runs one into the next. */
function sentences(parts: string[]): string {
  const said = parts.filter((part) => part !== '');
  return said.map((part, place) => (place < said.length - 1 && !/[.!?]$/.test(part) ? `${part}.` : part)).join(' ');
}

function find(view: AppView, id: number): CallView | undefined {
  return view.calls.find((call) => call.id === id);
}

function ringsHere(call: CallView): boolean {
  return call.direction === 'in' && call.state === 'ringing';
}

function newCallers(texts: Messages, before: AppView, after: AppView, now: number): string[] {
  const ringing = after.calls.filter(ringsHere);
  const fresh = ringing.filter((call) => find(before, call.id) === undefined);
  const through = (call: CallView): string =>
    [call.queue === null ? '' : texts.queue.through(call.queue.name), cameThrough(texts, call)].filter((part) => part !== '').join(', ');
  const said = fresh.map((call) => texts.live.incoming(peerName(texts, call.peer), through(call), spoken(SHOWN.answer) ?? ''));
  if (fresh.length > 0 && ringing.length > 1) {
    const longest = Math.min(...ringing.map((call) => call.started_ms));
    said.push(texts.live.waiting(ringing.length, duration(now - longest)));
  }
  return said;
}

function reachability(texts: Messages, before: AppView, after: AppView): string {
  const was = unreached(before.accounts)?.trouble ?? false;
  const away = unreached(after.accounts);
  if (away?.trouble === true && !was) {
    const { reason } = away.account;
    return texts.live.lost(reason === null ? '' : `${texts.codes[reason].what}.`);
  }
  return was && away === null && after.accounts.length > 0 ? texts.live.back : '';
}

function callChange(texts: Messages, before: CallView | undefined, call: CallView): string[] {
  const who = peerName(texts, call.peer);
  const said: string[] = [];
  // Of a caller who was given on it is said with whom he is now.
  const given = call.state === 'ended' && call.transfer?.state === 'done';
  if (before?.state !== call.state && !given) said.push(stateChange(texts, call, before, who));
  if (before !== undefined && before.muted !== call.muted) said.push(call.muted ? texts.live.muted : texts.live.unmuted);
  if (call.state !== 'ended') said.push(recordingChange(texts, before, call));
  if (call.state !== 'ended') said.push(callTrouble(texts, before, call));
  said.push(transferChange(texts, before, call, who));
  return said;
}

/** The exchange begins to record the call, waits, or no longer does. */
function recordingChange(texts: Messages, before: CallView | undefined, call: CallView): string {
  const state = call.recording?.state ?? 'off';
  return state === (before?.recording?.state ?? 'off') ? '' : `${recordingWords(texts, call)}.`;
}

/** Trouble that came up in the call: its sound is gone, or its exchange. */
function callTrouble(texts: Messages, before: CallView | undefined, call: CallView): string {
  if (call.reason !== null && before?.reason !== call.reason) {
    const { what, todo } = texts.codes[call.reason];
    return `${what}. ${todo}`;
  }
  if (call.reason !== null || before === undefined) return '';
  if (call.no_sound) return before.no_sound ? '' : `${texts.calls.noSound.what}. ${texts.calls.noSound.todo}`;
  const cause = call.quality_cause;
  // Said once, when the sound becomes bad. That the microphone is silent is a notice, which says itself.
  if (cause === null || before.quality_cause !== null || cause === 'microphone_silent') return '';
  return `${texts.calls.badSound[cause].what}. ${texts.calls.badSound[cause].todo}`;
}

/** Where a caller goes, and how that ended. */
function transferChange(texts: Messages, before: CallView | undefined, call: CallView, who: string): string {
  const { transfer } = call;
  if (transfer === null || transfer.state === before?.transfer?.state) return '';
  const to = targetName(texts, transfer.to);
  if (transfer.state === 'trying') return texts.transfer.sentences.sending(who, to);
  if (transfer.state === 'done') return texts.transfer.arrived(who, to);
  if (transfer.state === 'ringing') return '';
  const why = transfer.reason === null ? '' : `${texts.codes[transfer.reason].what}. `;
  return `${texts.transfer.failed(to)} ${why}${texts.transfer.stillHere}`;
}

function stateChange(texts: Messages, call: CallView, before: CallView | undefined, who: string): string {
  switch (call.state) {
    case 'dialing':
      return texts.live.dialing(who);
    case 'active':
      return texts.live.answered(who);
    case 'held':
      return texts.live.held(who);
    case 'held_by_peer':
      return texts.live.heldByPeer(who);
    case 'ended':
      return before === undefined ? '' : texts.live.ended(who, endReason(texts, call));
    default:
      return '';
  }
}
