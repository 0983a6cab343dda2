// Which press means what; nothing that a person types as text is taken.

import { describe, expect, it } from 'vitest';
import { caps, dtmfDigit, heldKeys, keyAction, spoken } from './keys';

const press = (key: string, more: Partial<KeyboardEvent> = {}): KeyboardEvent =>
  ({ key, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, repeat: false, ...more }) as KeyboardEvent;

describe('keys', () => {
  it('are function keys and chords', () => {
    expect(keyAction(press('F2'))).toEqual({ do: 'answer' });
    expect(keyAction(press('F2', { shiftKey: true }))).toEqual({ do: 'reject' });
    expect(keyAction(press('k', { ctrlKey: true }))).toEqual({ do: 'search' });
    expect(keyAction(press('K', { metaKey: true }))).toEqual({ do: 'search' });
    expect(keyAction(press('Enter', { ctrlKey: true }))).toEqual({ do: 'cold' });
    expect(keyAction(press('Enter', { altKey: true }))).toEqual({ do: 'dial_new' });
    expect(keyAction(press('Enter'))).toBeNull();
    expect(keyAction(press('å', { altKey: true, code: 'KeyA' }))).toEqual({ do: 'agent' });
    expect(keyAction(press('3', { ctrlKey: true }))).toEqual({ do: 'wallboard' });
    expect(keyAction(press('a', { ctrlKey: true, altKey: true, code: 'KeyA' }))).toBeNull();
    expect(keyAction(press('2', { code: 'Digit2', altKey: true }))).toEqual({ do: 'resume_nth', place: 1 });
    expect(keyAction(press('@', { code: 'Digit2', altKey: true, shiftKey: true }))).toEqual({ do: 'hangup_nth', place: 1 });
  });

  it('never take what is typed', () => {
    for (const key of 'abcxyz0123456789*#@. '.split('')) {
      expect(keyAction(press(key)), key).toBeNull();
      expect(keyAction(press(key.toUpperCase(), { shiftKey: true })), key).toBeNull();
    }
    for (const key of ['c', 'v', 'x', 'a']) expect(keyAction(press(key, { ctrlKey: true })), key).toBeNull();
  });

  it('held down ask once', () => {
    expect(keyAction(press('F12', { repeat: true }))).toBeNull();
  });

  it('send digits only without modifiers', () => {
    expect(dtmfDigit(press('5'))).toBe('5');
    expect(dtmfDigit(press('*', { shiftKey: true }))).toBe('*');
    expect(dtmfDigit(press('5', { altKey: true }))).toBeNull();
    expect(dtmfDigit(press('a'))).toBeNull();
  });

  it('are written for eye and ear', () => {
    expect(heldKeys(9)).toBeNull();
    expect(spoken(heldKeys(0)?.hangup ?? [])).toBe('Alt+Shift+1');
    expect(spoken(['Ctrl', 'K'])).toBe('Control+K');
  });

  it('are Command and Option on a Mac, but for what the Mac keeps for itself', () => {
    expect(caps('Ctrl+Enter', true)).toEqual(['⌘', 'Enter']);
    expect(caps('Alt+Shift+V', true)).toEqual(['⌥', '⇧', 'V']);
    expect(caps('Ctrl+Shift+#', true)).toEqual(['⌃', '⇧', '1–9']);
    expect(caps('Ctrl+F#', true)).toEqual(['⌃', 'F1–F9']);
    expect(caps('Ctrl+Q', true)).toEqual(['⌃', 'Q']);
    expect(caps('Ctrl+Shift+K', false)).toEqual(['Ctrl', '⇧', 'K']);
    expect(spoken(caps('Ctrl+K', true))).toBe('Meta+K');
    expect(spoken(caps('Alt+V', true))).toBe('Alt+V');
    // Both are pressed alike.
    expect(keyAction(press('Enter', { metaKey: true }))).toEqual({ do: 'cold' });
    expect(keyAction(press('3', { ctrlKey: true, shiftKey: true, code: 'Digit3' }))).toEqual({ do: 'pin_nth', place: 2 });
  });
});
