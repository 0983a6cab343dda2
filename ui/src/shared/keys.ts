// What a press asks for, and how keys are written. They work while the search field has the focus, so none is a bare letter. Which key is whose stands in the key map.

import { keymap } from './keymap.svelte';
import { type Bound, type Chord, chordOf, KEY_NAMES, type KeyName, type Press } from './keymap';

/** What a key asks for; `place` is the one of nine, from 0. */
export type KeyAction = { do: Exclude<KeyName, `${string}_nth`> | 'escape' } | { do: Extract<KeyName, `${string}_nth`>; place: number };

const CAPS: Partial<Record<string, string>> = {
  Shift: '⇧', Escape: 'Esc', ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', PageUp: 'PgUp', PageDown: 'PgDn', '#': '1–9', 'F#': 'F1–F9',
};

/** On a Mac Ctrl of the map is Command, and Alt is Option; it calls them by their signs. */
const MAC_CAPS: Partial<Record<string, string>> = { Ctrl: '⌘', Alt: '⌥' };
/** What the Mac keeps for itself with Command is pressed with Control, which does as well: ⌘⇧3 takes a picture of the screen. */
const MAC_KEEPS = /^Ctrl\+(?:Shift\+[#1-9]|F(?:#|\d+)|Q|H|M|W|Space|Tab)$/;

const isMac = (): boolean => navigator.userAgent.includes('Mac');

/** A chord as caps: one text for each key. */
export function caps(chord: Chord, mac = isMac()): string[] {
  // A plus sign may itself be the key.
  const keys = chord === '' ? [] : chord.replace(/\+\+$/, '+plus').split('+');
  const signs: Partial<Record<string, string>> = mac ? { ...CAPS, ...MAC_CAPS, ...(MAC_KEEPS.test(chord) ? { Ctrl: '⌃' } : {}) } : CAPS;
  return keys.map((key) => (key === 'plus' ? '+' : (signs[key] ?? key)));
}

type Shown = Readonly<Record<KeyName | 'dial' | 'escape' | 'screen', readonly string[]>>;

/** How keys are written on screen; ⇧ is Shift. Empty: it has no key. Reading it follows what the user changes. */
export const SHOWN = { dial: ['Enter'], escape: ['Esc'], screen: ['F11'] } as Partial<Shown> as Shown;
for (const name of KEY_NAMES) Object.defineProperty(SHOWN, name, { enumerable: true, get: () => caps(keymap.map[name]) });

/** The caps of one of nine; null when there is none. `place` is from 0. */
export function nthKeys(name: Extract<KeyName, `${string}_nth`>, place: number): string[] | null {
  const chord = keymap.map[name];
  return place > 8 || chord === '' ? null : caps(chord.replace('#', String(place + 1)));
}

/** Keys of the held call at a place. */
export function heldKeys(place: number): { resume: string[]; hangup: string[] } | null {
  if (place > 8) return null;
  return { resume: nthKeys('resume_nth', place) ?? [], hangup: nthKeys('hangup_nth', place) ?? [] };
}

/** What a press asks for; null when it is not ours. A key held down asks once. */
export function keyAction(press: Press): KeyAction | null {
  if (press.repeat) return null;
  const chord = chordOf(press);
  if (chord === null) return null;
  if (chord === 'Escape') return { do: 'escape' };
  const bound = keymap.of(chord);
  return bound === undefined ? null : asked(bound);
}

const asked = ({ name, place }: Bound): KeyAction => (name.endsWith('_nth') ? { do: name, place } : { do: name }) as KeyAction;

/** Keys as assistive technology wants them: "Shift+F2". Undefined when there are none. */
export function spoken(keys: readonly string[]): string | undefined {
  return keys.length === 0 ? undefined : keys.map((key) => ({ '⇧': 'Shift', Ctrl: 'Control', Esc: 'Escape', '⌘': 'Meta', '⌥': 'Alt', '⌃': 'Control' })[key] ?? key).join('+');
}

/** The DTMF digit of a press, while the keypad is open; null for anything else. */
export function dtmfDigit(press: Press): string | null {
  if (press.ctrlKey || press.metaKey || press.altKey) return null;
  return /^[0-9*#]$/.test(press.key) ? press.key : null;
}

/** What a key does on the wallboard. */
export function boardAction(press: Press): 'screen' | 'escape' | null {
  if (press.ctrlKey || press.metaKey || press.altKey || press.shiftKey || press.repeat) return null;
  return press.key === 'F11' ? 'screen' : press.key === 'Escape' ? 'escape' : null;
}
