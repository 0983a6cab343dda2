// How many columns of queues make the largest figures on a board of a given size.

/** Shape of a card whose figures use its room best: width to height. */
const SHAPE = 1.5;

/** Space around and between cards, pixels. */
export const GAP = 14;

/** A hundredth of a card's width, or less where its height is the shorter side for it: what all sizes on it are counted in. */
export function unitFor(count: number, columns: number, width: number, height: number): number {
  const rows = Math.max(1, Math.ceil(count / columns));
  const across = (width - GAP * (columns + 1)) / columns;
  const down = (height - GAP * (rows + 1)) / rows;
  return Math.max(1, Math.min(across, down * 1.4) / 100);
}

/** Columns for so many cards on a board of this many pixels; 1 while the size is not known. */
export function columnsFor(count: number, width: number, height: number): number {
  let best = 1;
  let largest = 0;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const size = Math.min(width / columns, (height / rows) * SHAPE);
    if (size > largest) {
      largest = size;
      best = columns;
    }
  }
  return best;
}
