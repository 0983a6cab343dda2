// Rows of tiles: what is on screen of a thousand, and where the arrows lead.

import { describe, expect, it } from 'vitest';
import { columnsIn, firstOf, onScreen, plan, type Sizes, spotOf, step } from './rows';

const SIZES: Sizes = { title: 30, tile: 50, gap: 6, between: 12 };
/** Two sections of three columns: 0 1 2 / 3 4 and 5 6. */
const SMALL = plan([5, 2], 3, SIZES);

describe('rows', () => {
  it('fit the width', () => {
    expect(columnsIn(760, 176, 6)).toBe(4);
    expect(columnsIn(10, 176, 6)).toBe(1);
  });

  it('stand below each other, each section with its title', () => {
    expect(SMALL.rows.map(({ from, to }) => [from, to])).toEqual([[0, 3], [3, 5], [5, 7]]);
    expect(spotOf(SMALL, 4)).toBe(30 + 56);
    expect(spotOf(SMALL, 5)).toBe(30 + 2 * 56 + 12 + 30);
    expect(spotOf(SMALL, 7)).toBeNull();
    expect(SMALL.height).toBe(30 + 112 + 12 + 30 + 56);
    expect(plan([], 3, SIZES).height).toBe(0);
  });

  it('are only drawn where they can be seen, of a thousand tiles', () => {
    const many = plan([400, 600], 4, SIZES);
    const seen = onScreen(many, SIZES, 2_000, 700, 100);
    const rows = seen.flatMap((block) => block.rows);
    expect(rows.length).toBeLessThan(20);
    const tops = rows.map((row) => (many.blocks[row.section]?.top ?? 0) + row.top);
    expect(Math.min(...tops)).toBeLessThanOrEqual(2_000);
    expect(Math.max(...tops)).toBeGreaterThanOrEqual(2_650);
  });
});

describe('arrows', () => {
  it('start at the first, or at the last going up', () => {
    expect(step(SMALL, -1, 'ArrowDown')).toBe(0);
    expect(step(SMALL, -1, 'ArrowUp')).toBe(6);
    expect(step(plan([], 3, SIZES), -1, 'ArrowDown')).toBe(-1);
  });

  it('keep the column, or the last one of a short row', () => {
    expect(step(SMALL, 1, 'ArrowDown')).toBe(4);
    expect(step(SMALL, 2, 'ArrowDown')).toBe(4);
    expect(step(SMALL, 4, 'ArrowDown')).toBe(6);
    expect(step(SMALL, 6, 'ArrowUp')).toBe(4);
  });

  it('go on within the last row and the first one', () => {
    expect(step(SMALL, 5, 'ArrowDown')).toBe(6);
    expect(step(SMALL, 2, 'ArrowUp')).toBe(1);
    const row = plan([2], 3, SIZES);
    expect(step(row, 0, 'ArrowDown')).toBe(1);
    expect(step(row, 1, 'ArrowUp')).toBe(0);
  });

  it('stop at the edges, and jump by pages and to the ends', () => {
    expect(step(SMALL, 0, 'ArrowLeft')).toBe(0);
    expect(step(SMALL, 6, 'ArrowRight')).toBe(6);
    expect(step(SMALL, 6, 'ArrowDown')).toBe(6);
    expect(step(SMALL, 0, 'ArrowUp')).toBe(0);
    expect(step(SMALL, 5, 'PageDown')).toBe(5);
    expect(step(SMALL, 0, 'PageDown', 5)).toBe(5);
    expect(step(SMALL, 6, 'PageUp', 5)).toBe(1);
    expect(step(SMALL, 3, 'Home')).toBe(0);
    expect(step(SMALL, 3, 'End')).toBe(6);
  });

  it('show the first of an answer at once, above what stood there before', () => {
    const before = plan([9, 6], 3, SIZES).blocks;
    const now = plan([8, 3], 3, SIZES).blocks;
    const seen = firstOf(now, before, 2);
    expect(seen.map((block) => block.rows.map(({ from, to }) => [from, to]))).toEqual([[[0, 3], [3, 6], [6, 9]], [[9, 12], [12, 15]]]);
    // Rows that stay are the same ones, so that nothing is written twice.
    expect(seen[0]?.rows[1]).toBe(now[0]?.rows[1]);
    expect(seen[0]?.rows[2]).toBe(before[0]?.rows[2]);
    expect(seen[1]).toBe(before[1]);
    // Fewer results than that: what stood below them stays below them.
    expect(firstOf(plan([2], 3, SIZES).blocks, before, 2)[0]?.rows.map(({ from }) => from)).toEqual([0, 3, 6]);
    expect(firstOf([], before, 2)).toEqual([]);
    // Somebody scrolled: then everything is shown as it is.
    const scrolled = plan([9, 6], 3, SIZES).blocks.slice(1);
    expect(firstOf(scrolled, before, 2)).toEqual(scrolled);
  });
});
