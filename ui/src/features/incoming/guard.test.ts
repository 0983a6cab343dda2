// Keys meant for elsewhere do not answer a call.

import { describe, expect, it } from 'vitest';
import { AGREE_MS, CallGuard, IGNORE_MS, KeyGuard } from './guard';

it('ignores keys for a while after the pop-up appeared, and again for the next caller', () => {
  const guard = new KeyGuard();
  guard.appeared(1_000);
  expect(guard.accepts(1_000 + IGNORE_MS - 1)).toBe(false);
  expect(guard.accepts(1_000 + IGNORE_MS)).toBe(true);
  guard.appeared(5_000);
  expect(guard.accepts(5_100)).toBe(false);
});

describe('a call that comes in', () => {
  const at = (): { guard: CallGuard; pass: (ms: number) => void } => {
    let now = 10_000;
    return { guard: new CallGuard(() => now), pass: (ms) => (now += ms) };
  };

  it('is answered at once when nobody is on the line and nobody else rings', () => {
    const { guard } = at();
    guard.see([], false);
    guard.see([1], false);
    expect(guard.accepts(1)).toBe(true);
  });

  it('is not answered by a key that was on its way while somebody talks', () => {
    const { guard, pass } = at();
    guard.see([], true);
    guard.see([1], true);
    expect(guard.accepts(1)).toBe(false);
    pass(IGNORE_MS);
    expect(guard.accepts(1)).toBe(true);
  });

  it('is not answered by a key that was meant for the one who stood there before', () => {
    const { guard, pass } = at();
    guard.see([1, 2], false);
    pass(5_000);
    expect(guard.accepts(2)).toBe(true);
    guard.see([2], false);
    expect(guard.accepts(2)).toBe(false);
    pass(IGNORE_MS);
    expect(guard.accepts(2)).toBe(true);
    guard.see([2, 3], false);
    expect(guard.accepts(2)).toBe(true);
    guard.chosen(3);
    expect(guard.accepts(3)).toBe(true);
  });
});

it('is not sent on by a key that was meant for the one who just went off the line', () => {
  let now = 10_000;
  const guard = new CallGuard(() => now);
  guard.see([1], true);
  now += 5_000;
  expect(guard.acceptsAlone(1)).toBe(true);
  guard.see([1], false);
  expect(guard.accepts(1)).toBe(true);
  expect(guard.acceptsAlone(1)).toBe(false);
  now += IGNORE_MS;
  expect(guard.acceptsAlone(1)).toBe(true);
});

describe('call waiting', () => {
  it('takes two presses while somebody is on the line, neither at once nor much later', () => {
    let now = 0;
    const guard = new CallGuard(() => now);
    guard.see([7], true);
    now = 10_000;
    expect(guard.press(7, true)).toBe('again');
    now += 100;
    expect(guard.press(7, true)).toBe('again');
    now += IGNORE_MS;
    expect(guard.press(7, true)).toBe('answer');
    // The next one is another question.
    guard.see([8], true);
    now += 10_000;
    expect(guard.press(8, true)).toBe('again');
    now += AGREE_MS;
    expect(guard.press(8, true)).toBe('again');
    expect(guard.press(8, false)).toBe('answer');
  });

  it('counts a press that came too soon as the question', () => {
    let now = 0;
    const guard = new CallGuard(() => now);
    guard.see([7], true);
    expect(guard.press(7, true)).toBe('too_soon');
    now = IGNORE_MS;
    expect(guard.press(7, true)).toBe('answer');
  });
});
