import { describe, expect, it } from 'vitest';
import { hotkeyOf, NO_HOTKEYS, withHotkey } from './hotkeys';

const press = (key: string, held: Partial<Record<'ctrlKey' | 'altKey' | 'shiftKey' | 'metaKey', boolean>> = {}) => ({
  key, code: '', ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, repeat: false, ...held,
});

describe('keys that work everywhere', () => {
  it('are chords, function keys or keys of a headset', () => {
    expect(hotkeyOf(press('a', { ctrlKey: true, altKey: true }))).toEqual({ chord: 'Ctrl+Alt+A' });
    expect(hotkeyOf(press('F9'))).toEqual({ chord: 'F9' });
    expect(hotkeyOf(press('MediaPlayPause'))).toEqual({ chord: 'MediaPlayPause' });
  });

  it('never take what is typed or edited with in other programs', () => {
    expect(hotkeyOf(press('a'))).toEqual({ refused: 'plain' });
    expect(hotkeyOf(press('c', { ctrlKey: true }))).toEqual({ refused: 'editing' });
    expect(hotkeyOf(press('Tab', { altKey: true }))).toEqual({ refused: 'editing' });
    expect(hotkeyOf(press('Control', { ctrlKey: true }))).toBeNull();
  });

  it('stand once', () => {
    const keys = withHotkey({ ...NO_HOTKEYS, hold: 'F9' }, 'answer', 'F9');
    expect(keys).toEqual({ ...NO_HOTKEYS, answer: 'F9' });
    expect(withHotkey(keys, 'answer', '')).toEqual(NO_HOTKEYS);
  });
});
