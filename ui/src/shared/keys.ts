// Every key of the main window: which press means what. They work while the search field has the focus, so none is a bare letter.

/** What a key asks for. `resume_nth` and `hangup_nth` carry the place of the held call, from 0. */
export type KeyAction =
  | {
      do:
        | 'answer' | 'reject' | 'mute' | 'keypad' | 'hold' | 'swap' | 'hangup' | 'search' | 'escape' | 'overview' | 'quit'
        | 'cold' | 'dial' | 'pickup' | 'park' | 'retrieve' | 'conference' | 'agent' | 'night' | 'extend' | 'outcome' | 'correct' | 'board' | 'desk' | 'supervisor' | 'wallboard' | 'services';
    }
  | { do: 'resume_nth' | 'hangup_nth'; place: number };

/** How keys are written on screen; ⇧ is Shift. */
export const SHOWN = {
  answer: ['F2'],
  reject: ['⇧', 'F2'],
  mute: ['F4'],
  keypad: ['F5'],
  hold: ['F6'],
  swap: ['⇧', 'F6'],
  pickup: ['F7'],
  park: ['F8'],
  retrieve: ['⇧', 'F8'],
  conference: ['F9'],
  hangup: ['F12'],
  search: ['Ctrl', 'K'],
  dial: ['Enter'],
  cold: ['Ctrl', 'Enter'],
  dialNew: ['Alt', 'Enter'],
  escape: ['Esc'],
  agent: ['Alt', 'A'],
  night: ['Alt', 'N'],
  extend: ['Alt', 'E'],
  outcome: ['Alt', 'U'],
  correct: ['Alt', 'R'],
  board: ['Alt', 'W'],
  screen: ['F11'],
  desk: ['Ctrl', '1'],
  supervisor: ['Ctrl', '2'],
  wallboard: ['Ctrl', '3'],
  services: ['Ctrl', '4'],
  overview: ['F1'],
  quit: ['Ctrl', 'Q'],
} as const satisfies Record<string, readonly string[]>;

/** Keys of the held call at a place. */
export function heldKeys(place: number): { resume: string[]; hangup: string[] } | null {
  if (place > 8) return null;
  return { resume: ['Alt', String(place + 1)], hangup: ['Alt', '⇧', String(place + 1)] };
}

type Press = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey' | 'repeat'>;

const PLAIN: Partial<Record<string, KeyAction['do']>> = {
  F1: 'overview',
  F2: 'answer',
  F4: 'mute',
  F6: 'hold',
  F5: 'keypad',
  F7: 'pickup',
  F8: 'park',
  F9: 'conference',
  F12: 'hangup',
  Escape: 'escape',
};

/** With Alt, by the place of the key: Option on a Mac types another character. */
const WITH_ALT: Partial<Record<string, KeyAction['do']>> = {
  KeyA: 'agent', KeyN: 'night', KeyE: 'extend', KeyU: 'outcome', KeyR: 'correct', KeyW: 'board', Enter: 'dial', NumpadEnter: 'dial',
};

const WITH_COMMAND: Partial<Record<string, KeyAction['do']>> = {
  k: 'search', q: 'quit', enter: 'cold', '1': 'desk', '2': 'supervisor', '3': 'wallboard', '4': 'services',
};

const SHIFTED: Partial<Record<string, KeyAction['do']>> = { F2: 'reject', F6: 'swap', F8: 'retrieve' };

/** What a press asks for; null when it is not ours. A key held down asks once. */
export function keyAction(press: Press): KeyAction | null {
  const wanted = meaning(press);
  return wanted !== null && press.repeat ? null : wanted;
}

function meaning(press: Press): KeyAction | null {
  const { key, code, altKey, shiftKey } = press;
  const command = press.ctrlKey || press.metaKey;
  if (command) return altKey || shiftKey ? null : commanded(key);
  const digit = /^Digit([1-9])$/.exec(code)?.[1];
  if (altKey && digit !== undefined) {
    return { do: shiftKey ? 'hangup_nth' : 'resume_nth', place: Number(digit) - 1 };
  }
  if (altKey && shiftKey) return null;
  if (altKey) return simply(WITH_ALT[code] ?? WITH_ALT[key]);
  const simple = (shiftKey ? SHIFTED : PLAIN)[key];
  return simply(simple);
}

function simply(action: KeyAction['do'] | undefined): KeyAction | null {
  return action === undefined ? null : ({ do: action } as KeyAction);
}

function commanded(key: string): KeyAction | null {
  return simply(WITH_COMMAND[key.toLowerCase()]);
}

/** Keys as assistive technology wants them: "Shift+F2". */
export function spoken(keys: readonly string[]): string {
  return keys.map((key) => ({ '⇧': 'Shift', Ctrl: 'Control' })[key] ?? key).join('+');
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
