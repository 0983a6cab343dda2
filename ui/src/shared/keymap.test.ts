// One key never does two things, nothing that is typed becomes a key, and a file that is wrong changes nothing.

import { describe, expect, it } from 'vitest';
import { asFile, chordOf, expanded, familyOf, FIRST_KEYS, KEY_NAMES, objectionTo, PRESET_NAMES, presetKeys, presetOf, readFile, takenBy, withKey } from './keymap';

const press = (key: string, more: Partial<KeyboardEvent> = {}): KeyboardEvent =>
  ({ key, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, repeat: false, ...more }) as KeyboardEvent;

describe('each set of keys that comes with the program', () => {
  it.each(PRESET_NAMES)('%s: no key twice, none that is typed', (preset) => {
    const map = presetKeys(preset);
    const all = KEY_NAMES.flatMap((name) => expanded(map[name]));
    expect(all.filter((chord, place) => all.indexOf(chord) !== place)).toEqual([]);
    for (const name of KEY_NAMES) if (map[name] !== '') expect(objectionTo(name, map[name]), `${name} ${map[name]}`).toBeNull();
    expect(presetOf(map)).toBe(preset);
    expect(readFile(asFile(map))).toEqual({ map });
  });
});

describe('a chord', () => {
  it('is read by the place of the key where modifiers type something else', () => {
    expect(chordOf(press('å', { altKey: true, code: 'KeyA' }))).toBe('Alt+A');
    expect(chordOf(press('@', { altKey: true, shiftKey: true, code: 'Digit2' }))).toBe('Alt+Shift+2');
    expect(chordOf(press('&', { ctrlKey: true, code: 'Digit1' }))).toBe('Ctrl+1');
    expect(chordOf(press('k', { metaKey: true }))).toBe('Ctrl+K');
    expect(chordOf(press('Shift', { shiftKey: true }))).toBeNull();
    expect(familyOf('Ctrl+F7')).toBe('Ctrl+F#');
    expect(familyOf('Alt+Shift+3')).toBe('Alt+Shift+#');
    expect(familyOf('Alt+F12')).toBeNull();
  });

  it('is refused when somebody would need it for something else', () => {
    expect(objectionTo('answer', 'A')).toBe('typed');
    expect(objectionTo('answer', 'Shift+A')).toBe('typed');
    expect(objectionTo('answer', 'Enter')).toBe('fixed');
    expect(objectionTo('answer', 'Alt+ArrowLeft')).toBe('fixed');
    expect(objectionTo('answer', 'Shift+Tab')).toBe('system');
    expect(objectionTo('answer', 'Ctrl+V')).toBe('editing');
    expect(objectionTo('answer', 'Ctrl+Shift+V')).toBe('editing');
    expect(objectionTo('answer', 'Ctrl+Alt+Q')).toBe('altgr');
    expect(objectionTo('answer', 'Alt+F4')).toBe('system');
    expect(objectionTo('pin_cold_nth', 'Alt+F#')).toBe('system');
    expect(objectionTo('pin_nth', 'Alt+P')).toBe('digits');
    expect(objectionTo('answer', 'Alt+#')).toBe('unknown');
    expect(objectionTo('answer', 'javascript:alert(1)')).toBe('unknown');
    expect(objectionTo('answer', 'Ctrl+Shift+A')).toBeNull();
    expect(objectionTo('answer', 'F24')).toBeNull();
  });

  it('belongs to one: whoever takes it leaves the other without', () => {
    expect(takenBy(FIRST_KEYS, 'answer', 'F4')).toEqual(['mute']);
    expect(takenBy(FIRST_KEYS, 'answer', 'Alt+3')).toEqual(['resume_nth']);
    expect(takenBy(FIRST_KEYS, 'pin_nth', 'Ctrl+#').sort()).toEqual(['contacts', 'desk', 'services', 'supervisor', 'wallboard']);
    const map = withKey(FIRST_KEYS, 'answer', 'F4');
    expect([map.answer, map.mute]).toEqual(['F4', '']);
  });
});

describe('a file of keys', () => {
  const file = (keys: Record<string, unknown>, more: Record<string, unknown> = {}): string => JSON.stringify({ form: 'balie-keys', version: 1, keys, ...more });

  it('is taken whole or not at all, with the reasons', () => {
    expect(readFile('{"a":')).toEqual({ problems: [{ what: 'form' }] });
    expect(readFile('[]')).toEqual({ problems: [{ what: 'form' }] });
    expect(readFile(file({}, { version: 2 }))).toEqual({ problems: [{ what: 'version' }] });
    expect(readFile(' '.repeat(70_000))).toEqual({ problems: [{ what: 'size' }] });
    expect(readFile(file({ answer: 'Q', explode: 'F2', mute: 7 }))).toMatchObject({
      problems: [{ what: 'name', name: 'explode' }, { what: 'chord', name: 'answer', objection: 'typed' }, { what: 'chord', name: 'mute', chord: '7', objection: 'unknown' }],
    });
    expect(readFile(file({ answer: 'F4', mute: 'F4' }))).toEqual({ problems: [{ what: 'clash', name: 'answer', other: 'mute', chord: 'F4' }] });
  });

  it('leaves what it does not name as at first, unless that key is taken by now', () => {
    const read = readFile(file({ answer: 'F4', hangup: '' }));
    expect(read).toEqual({ map: { ...FIRST_KEYS, answer: 'F4', mute: '', hangup: '' } });
  });
});
