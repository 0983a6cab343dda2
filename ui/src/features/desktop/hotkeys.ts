// Keys that work while another program has the focus: which there are, and which press can be one.

import type { Hotkeys } from '../../bindings';
import { type Chord, chordOf, type Press } from '../../shared/keymap';

export type HotkeyName = keyof Hotkeys;

/** In the order in which they are shown. */
export const HOTKEYS = ['answer', 'hangup', 'hold', 'mute', 'show', 'dial'] as const satisfies readonly HotkeyName[];

export const NO_HOTKEYS: Hotkeys = { answer: '', hangup: '', hold: '', mute: '', show: '', dial: '' };

/** Why a press may not be one: it types or moves in every other program. */
export type Refused = 'plain' | 'editing';

const ALONE = /^(?:Shift\+)?(?:F(?:[1-9]|1\d|2[0-4])|Pause|ScrollLock|Media\w+|Audio\w+)$/;
const EDITS = /^Ctrl\+(?:Shift\+)?(?:[ACVXYZSFPNOWTQ]|Home|End|Insert|Arrow\w+|Backspace|Delete|Tab)$/;

/** The chord of a press, or why it cannot be had; null while only Ctrl and its like are down. */
export function hotkeyOf(press: Press): { chord: Chord } | { refused: Refused } | null {
  const chord = chordOf(press);
  if (chord === null) return null;
  if (!/^(?:Ctrl|Alt)\+/.test(chord) && !ALONE.test(chord)) return { refused: 'plain' };
  if (EDITS.test(chord) || /^Alt\+(?:Tab|F4|Space|Escape)$/.test(chord)) return { refused: 'editing' };
  return { chord };
}

/** The keys with another one for a name; who had it before has none. */
export function withHotkey(keys: Hotkeys, name: HotkeyName, chord: Chord): Hotkeys {
  const next = { ...keys };
  for (const other of HOTKEYS) if (chord !== '' && next[other] === chord) next[other] = '';
  next[name] = chord;
  return next;
}
