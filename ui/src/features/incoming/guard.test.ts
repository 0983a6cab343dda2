// Keys meant for elsewhere do not answer a call.

import { expect, it } from 'vitest';
import { IGNORE_MS, KeyGuard } from './guard';

it('ignores keys for a while after the pop-up appeared, and again for the next caller', () => {
  const guard = new KeyGuard();
  guard.appeared(1_000);
  expect(guard.accepts(1_000 + IGNORE_MS - 1)).toBe(false);
  expect(guard.accepts(1_000 + IGNORE_MS)).toBe(true);
  guard.appeared(5_000);
  expect(guard.accepts(5_100)).toBe(false);
});
