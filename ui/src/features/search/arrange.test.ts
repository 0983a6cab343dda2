// Whoever is moved stays where he was put, and the people of other departments keep their order.

import { expect, it } from 'vitest';
import { orderWith } from './arrange';

it('keeps the order of one section without touching another', () => {
  const sales = orderWith([], ['s2', 's1', 's3']);
  const both = orderWith(sales, ['t9', 't1']);
  expect(both.filter((one) => one.startsWith('s'))).toEqual(['s2', 's1', 's3']);
  expect(orderWith(both, ['s3', 's2', 's1']).filter((one) => one.startsWith('t'))).toEqual(['t9', 't1']);
  expect(new Set(orderWith(both, ['s3', 's2', 's1'])).size).toBe(5);
});
