// The board gives each queue as much room as there is.

import { describe, expect, it } from 'vitest';
import { columnsFor, unitFor } from './fit';

describe('sizes on the board', () => {
  it('follow the shorter side of a card', () => {
    expect(unitFor(1, 1, 1028, 2028)).toBe(10);
    expect(unitFor(1, 1, 5000, 528)).toBe(7);
    expect(unitFor(4, 2, 2042, 2042)).toBe(10);
    expect(unitFor(0, 1, 0, 0)).toBe(1);
  });
});

describe('columns of the board', () => {
  it('suit the number of queues and the shape of the screen', () => {
    expect(columnsFor(1, 1920, 1000)).toBe(1);
    expect(columnsFor(2, 1920, 1000)).toBe(2);
    expect(columnsFor(3, 1920, 1000)).toBe(2);
    expect(columnsFor(3, 1920, 500)).toBe(3);
    expect(columnsFor(6, 1920, 1000)).toBe(3);
    expect(columnsFor(4, 1080, 1920)).toBe(1);
    expect(columnsFor(12, 3840, 1000)).toBe(6);
  });

  it('are one while there is nothing to measure', () => {
    expect(columnsFor(0, 1920, 1000)).toBe(1);
    expect(columnsFor(5, 0, 0)).toBe(1);
  });
});
