// Where a caller stands when he is let go between others.

import { describe, expect, it } from 'vitest';
import { placeAt } from './reorder';

describe('the place of a dragged caller', () => {
  const middles = [10, 30, 50, 70];

  it('is counted among the others', () => {
    expect(placeAt(0, middles, 3)).toBe(1);
    expect(placeAt(20, middles, 3)).toBe(2);
    expect(placeAt(50, middles, 3)).toBe(3);
    expect(placeAt(60, middles, 3)).toBe(3);
    expect(placeAt(99, middles, 3)).toBe(4);
    expect(placeAt(99, middles, 1)).toBe(4);
  });
});
