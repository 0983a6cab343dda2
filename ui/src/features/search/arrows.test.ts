// Arrows over a grid of three columns with a short last row, and over a second section.

import { describe, expect, it } from 'vitest';
import { type Spot, step } from './arrows';

const spots: Spot[] = [0, 0, 0, 60, 60, 200, 200].map((top, place) => ({ top, left: ((place % 5) % 3) * 100 }));

describe('arrows', () => {
  it('start at the first, or at the last going up', () => {
    expect(step(spots, -1, 'ArrowDown')).toBe(0);
    expect(step(spots, -1, 'ArrowUp')).toBe(6);
    expect(step([], -1, 'ArrowDown')).toBe(-1);
  });

  it('keep the column, or the nearest one', () => {
    expect(step(spots, 1, 'ArrowDown')).toBe(4);
    expect(step(spots, 2, 'ArrowDown')).toBe(4);
    expect(step(spots, 4, 'ArrowDown')).toBe(6);
    expect(step(spots, 6, 'ArrowUp')).toBe(4);
  });

  it('stop at the edges', () => {
    expect(step(spots, 0, 'ArrowLeft')).toBe(0);
    expect(step(spots, 6, 'ArrowRight')).toBe(6);
    expect(step(spots, 6, 'ArrowDown')).toBe(6);
  });
});
