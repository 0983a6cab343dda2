// Until when a note holds.

import { expect, it } from 'vitest';
import { untilOf } from './until';

const at = (...parts: [number, number, number, number?, number?]): number => new Date(...parts).getTime();

it('ends with a day', () => {
  const wednesday = at(2026, 10, 25, 14, 30);
  expect(untilOf('always', wednesday)).toBeNull();
  expect(untilOf('today', wednesday)).toBe(at(2026, 10, 26));
  expect(untilOf('tomorrow', wednesday)).toBe(at(2026, 10, 27));
  expect(untilOf('week', wednesday)).toBe(at(2026, 10, 28));
  expect(untilOf('fortnight', wednesday)).toBe(at(2026, 11, 10));
  // Over the end of a month, and of a year.
  expect(untilOf('month', at(2026, 11, 20))).toBe(at(2027, 0, 20));
});

it('means the next week from Friday on', () => {
  expect(untilOf('week', at(2026, 10, 27, 9))).toBe(at(2026, 11, 5));
  expect(untilOf('week', at(2026, 10, 28, 9))).toBe(at(2026, 11, 5));
});
