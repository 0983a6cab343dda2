// Which key does what, as the user has it: the keys at first, those of other consoles, what may not be a key, and files of keys read with care.

/** Everything that has a key of its own. Those ending in `nth` have nine: a digit chooses which. */
export const KEY_NAMES = [
  'answer', 'answer_other', 'choose_other', 'reject', 'mute', 'keypad', 'hold', 'swap', 'resume_nth', 'hangup', 'hangup_nth',
  'consult', 'cold', 'targets', 'voicemail', 'pin_nth', 'pin_cold_nth', 'park', 'retrieve', 'pickup', 'pull', 'conference', 'call_back', 'ring_back',
  'return_call', 'redial', 'trace', 'missed', 'note',
  'record', 'record_stop',
  'search', 'dial_new', 'take_ready', 'withhold',
  'agent', 'extend', 'outcome', 'correct', 'night', 'emergency',
  'desk', 'supervisor', 'wallboard', 'services', 'contacts', 'board', 'overview', 'quit',
] as const;
export type KeyName = (typeof KEY_NAMES)[number];

/** A chord: `Ctrl+Shift+K`, `F2`. `#` stands for the digits 1 to 9, `F#` for F1 to F9. Empty: no key. */
export type Chord = string;
export type KeyMap = Readonly<Record<KeyName, Chord>>;

/** Those with nine keys. */
export const isNth = (name: KeyName): boolean => name.endsWith('_nth');

export const FIRST_KEYS: KeyMap = {
  answer: 'F2', answer_other: 'F3', choose_other: 'Shift+F3', reject: 'Shift+F2', mute: 'F4', keypad: 'F5', hold: 'F6', swap: 'Shift+F6',
  resume_nth: 'Alt+#', hangup: 'F12', hangup_nth: 'Alt+Shift+#',
  consult: '', cold: 'Ctrl+Enter', targets: 'Alt+D', voicemail: 'Alt+V', pin_nth: 'Ctrl+Shift+#', pin_cold_nth: 'Ctrl+F#', park: 'F8', retrieve: 'Shift+F8', pickup: 'F7',
  pull: 'Alt+Shift+V', conference: 'F9', call_back: 'Alt+B', ring_back: 'Alt+T',
  return_call: 'Alt+Shift+B', redial: 'Alt+Shift+D', trace: '', missed: 'Alt+Shift+M', note: 'Alt+Shift+T',
  record: 'Alt+J', record_stop: 'Alt+Shift+J',
  search: 'Ctrl+K', dial_new: 'Alt+Enter', take_ready: 'Alt+Y', withhold: 'Alt+G',
  agent: 'Alt+A', extend: 'Alt+E', outcome: 'Alt+U', correct: 'Alt+R', night: 'Alt+N', emergency: 'Alt+Shift+N',
  desk: 'Ctrl+1', supervisor: 'Ctrl+2', wallboard: 'Ctrl+3', services: 'Ctrl+4', contacts: 'Ctrl+5', board: 'Alt+W', overview: 'F1', quit: 'Ctrl+Q',
};

export type PresetName = 'balie' | 'wazo' | 'teams' | 'letters';

/** Keys for hands that learned them elsewhere; what is not named is as at first. */
const PRESETS: Record<PresetName, Partial<KeyMap>> = {
  balie: {},
  // As the Wazo (XiVO) switchboard's manual has them: F3 call, F4 blind, F5 attended, F7 hold, F8 hang up.
  wazo: {
    search: 'F3', cold: 'F4', consult: 'F5', answer: 'F6', hold: 'F7', hangup: 'F8', swap: 'Shift+F7', reject: 'Shift+F6',
    answer_other: 'F2', choose_other: 'Shift+F2', mute: 'F10', keypad: 'Shift+F10', pickup: 'F9', conference: 'Shift+F9', park: 'F12', retrieve: 'Shift+F12',
  },
  teams: { answer: 'Ctrl+Shift+S', reject: 'Ctrl+Shift+D', mute: 'Ctrl+Shift+M', hangup: 'Ctrl+Shift+H' },
  // For keyboards whose function keys do something else.
  letters: {
    answer: 'Alt+O', reject: 'Alt+Shift+O', answer_other: 'Alt+I', choose_other: 'Alt+Shift+I', mute: 'Alt+M', keypad: 'Alt+K', hold: 'Alt+H',
    swap: 'Alt+S', hangup: 'Alt+X', pickup: 'Alt+P', park: 'Alt+L', retrieve: 'Alt+Shift+L', conference: 'Alt+C', pin_cold_nth: '', overview: 'Alt+Q',
  },
};
export const PRESET_NAMES = Object.keys(PRESETS) as readonly PresetName[];

export const presetKeys = (name: PresetName): KeyMap => ({ ...FIRST_KEYS, ...PRESETS[name] });

/** The preset that a map is, if it is one. */
export function presetOf(map: KeyMap): PresetName | null {
  return PRESET_NAMES.find((name) => KEY_NAMES.every((key) => presetKeys(name)[key] === map[key])) ?? null;
}

export type Press = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey' | 'repeat'>;

const DEAD: readonly string[] = ['Control', 'Shift', 'Alt', 'Meta', 'AltGraph', 'CapsLock', 'Dead', 'Process', 'Unidentified', 'Fn', '#'];

function keyOf({ key, code, ctrlKey, metaKey, altKey }: Press): string | null {
  // By the place of the key: Option on a Mac and Shift type another character.
  const digit = (altKey ? /^Digit([0-9])$/ : /^(?:Digit|Numpad)([0-9])$/).exec(code)?.[1];
  if (digit !== undefined && (altKey || ctrlKey || metaKey)) return digit;
  const letter = altKey ? /^Key([A-Z])$/.exec(code)?.[1] : undefined;
  if (letter !== undefined) return letter;
  if (DEAD.includes(key)) return null;
  if (key === ' ') return 'Space';
  return key.length === 1 ? key.toUpperCase() : key;
}

/** The chord of a press; null for a modifier alone. Command on a Mac is Ctrl here. */
export function chordOf(press: Press): Chord | null {
  const key = keyOf(press);
  if (key === null) return null;
  return written({ ctrl: press.ctrlKey || press.metaKey, alt: press.altKey, shift: press.shiftKey, key });
}

/** The chord for one with nine keys, from a press with one of its digits: `Alt+3` is `Alt+#`. Null when no digit was pressed. */
export function familyOf(chord: Chord): Chord | null {
  const family = chord.replace(/(^|\+)F[1-9]$/, '$1F#').replace(/(^|\+)[1-9]$/, '$1#');
  return family === chord ? null : family;
}

interface Parts {
  ctrl: boolean;
  alt: boolean;
  shift: boolean;
  key: string;
}

const written = ({ ctrl, alt, shift, key }: Parts): Chord =>
  [ctrl ? 'Ctrl' : '', alt ? 'Alt' : '', shift ? 'Shift' : '', key].filter((part) => part !== '').join('+');

const NAMED = /^(?:F(?:[1-9]|1\d|2[0-4]|#)|Enter|Escape|Tab|Space|Backspace|Delete|Insert|Home|End|PageUp|PageDown|Arrow(?:Up|Down|Left|Right)|Pause|ScrollLock|PrintScreen|ContextMenu|Media\w{1,20}|Audio\w{1,20}|\S)$/u;

/** The parts of a chord; null when it is none. */
function parts(chord: Chord): Parts | null {
  const match = /^(Ctrl\+)?(Alt\+)?(Shift\+)?(.{1,24})$/u.exec(chord);
  const key = match?.[4];
  if (match === null || key === undefined || !NAMED.test(key) || key !== (key.length === 1 ? key.toUpperCase() : key)) return null;
  return { ctrl: match[1] !== undefined, alt: match[2] !== undefined, shift: match[3] !== undefined, key };
}

/** Why a chord may be nobody's key. `digits`: one with nine keys needs a digit. */
export type Objection = 'unknown' | 'typed' | 'fixed' | 'editing' | 'altgr' | 'system' | 'digits';

const MOVING: readonly string[] = ['Enter', 'Space', 'Backspace', 'Delete', 'Home', 'End', 'PageUp', 'PageDown', 'ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'ContextMenu'];
const EDITING: readonly string[] = ['A', 'C', 'V', 'X', 'Y', 'Z', 'Backspace', 'Delete', 'Home', 'End', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'];
/** Those that only edit without Shift. */
const WITHOUT_SHIFT: readonly string[] = ['A', 'C', 'X', 'Y'];
const ZOOM: readonly string[] = ['+', '-', '=', '_', '0'];
const SYSTEM: readonly Chord[] = ['Alt+F4', 'Alt+Space', 'Ctrl+Alt+Delete', 'Ctrl+Alt+Backspace'];

/** Why a chord cannot be the key of something; null when it can. */
export function objectionTo(name: KeyName, chord: Chord): Objection | null {
  const said = parts(chord);
  if (said === null) return 'unknown';
  if (isNth(name) !== (said.key === '#' || said.key === 'F#')) return isNth(name) ? 'digits' : 'unknown';
  return expanded(chord).map(objectionToOne).find((one) => one !== null) ?? null;
}

function objectionToOne(chord: Chord): Objection | null {
  const said = parts(chord);
  if (said === null) return 'unknown';
  const { ctrl, alt, shift, key } = said;
  if (key === 'Tab' || key === 'Escape' || SYSTEM.includes(chord)) return 'system';
  if (!ctrl && !alt) return key.length === 1 ? 'typed' : MOVING.includes(key) ? 'fixed' : null;
  if (ctrl && alt && key.length === 1) return 'altgr';
  // They put colleagues in an own order.
  if (alt && !ctrl && key.startsWith('Arrow')) return 'fixed';
  if (ctrl && !alt && EDITING.includes(key) && !(shift && WITHOUT_SHIFT.includes(key))) return 'editing';
  return ctrl && !alt && ZOOM.includes(key) ? 'system' : null;
}

/** A chord with its digits written out. */
export function expanded(chord: Chord): Chord[] {
  if (chord === '') return [];
  return /(?:^|\+)F?#$/.test(chord) ? Array.from({ length: 9 }, (_, place) => chord.replace('#', String(place + 1))) : [chord];
}

/** What a chord is for, and which of nine. */
export interface Bound {
  name: KeyName;
  /** From 0, of those with nine keys; else 0. */
  place: number;
}

/** Every chord of a map, with what it is for. */
export const boundIn = (map: KeyMap): ReadonlyMap<Chord, Bound> =>
  new Map(KEY_NAMES.flatMap((name) => expanded(map[name]).map((chord, place): [Chord, Bound] => [chord, { name, place }])));

/** What else has this chord, or one of its nine. */
export function takenBy(map: KeyMap, name: KeyName, chord: Chord): KeyName[] {
  const wanted = expanded(chord);
  return KEY_NAMES.filter((other) => other !== name && expanded(map[other]).some((one) => wanted.includes(one)));
}

/** The map with a key changed. Whatever else had it has none from then on: one key never does two things. */
export function withKey(map: KeyMap, name: KeyName, chord: Chord): KeyMap {
  const changed: Record<KeyName, Chord> = { ...map, [name]: chord };
  for (const other of takenBy(map, name, chord)) changed[other] = '';
  return changed;
}

/** What is wrong with a file of keys. */
export type FileProblem =
  | { what: 'size' | 'form' | 'version' }
  | { what: 'name'; name: string }
  | { what: 'chord'; name: KeyName; chord: string; objection: Objection }
  | { what: 'clash'; name: KeyName; other: KeyName; chord: Chord };

const MOST_TEXT = 64 * 1024;
const MOST_SHOWN = 24;
const FORM = 'balie-keys';

/** A map as a file. */
export const asFile = (map: KeyMap): string => `${JSON.stringify({ form: FORM, version: 1, keys: map }, null, 2)}\n`;

const record = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;

/** Reads a file of keys. All of it is right, or none of it is taken. */
export function readFile(text: string): { map: KeyMap } | { problems: FileProblem[] } {
  if (text.length > MOST_TEXT) return { problems: [{ what: 'size' }] };
  let parsed: Record<string, unknown> | null;
  try {
    parsed = record(JSON.parse(text));
  } catch {
    parsed = null;
  }
  const keys = record(parsed?.keys);
  if (parsed?.form !== FORM || keys === null) return { problems: [{ what: 'form' }] };
  if (parsed.version !== 1) return { problems: [{ what: 'version' }] };
  const problems = Object.keys(keys)
    .filter((name) => !KEY_NAMES.includes(name as KeyName))
    .map((name): FileProblem => ({ what: 'name', name: name.slice(0, MOST_SHOWN) }));
  const told = new Map<KeyName, Chord>();
  for (const name of KEY_NAMES) {
    if (!(name in keys)) continue;
    const chord = keys[name];
    const objection = chord === '' ? null : typeof chord === 'string' ? objectionTo(name, chord) : 'unknown';
    if (objection !== null) problems.push({ what: 'chord', name, chord: String(chord).slice(0, MOST_SHOWN), objection });
    else told.set(name, String(chord));
  }
  const map = completed(told);
  for (const [place, name] of KEY_NAMES.entries()) {
    const other = takenBy(map, name, map[name]).find((one) => KEY_NAMES.indexOf(one) > place);
    if (other !== undefined) problems.push({ what: 'clash', name, other, chord: map[other] });
  }
  return problems.length > 0 ? { problems } : { map };
}

/** Names that a file leaves out keep their first key, unless something else has it by now. */
function completed(told: ReadonlyMap<KeyName, Chord>): KeyMap {
  const used = new Set([...told.values()].flatMap(expanded));
  const map: Record<KeyName, Chord> = { ...FIRST_KEYS };
  for (const name of KEY_NAMES) {
    map[name] = told.get(name) ?? (expanded(FIRST_KEYS[name]).some((one) => used.has(one)) ? '' : FIRST_KEYS[name]);
  }
  return map;
}
