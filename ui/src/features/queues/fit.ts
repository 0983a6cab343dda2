// How many columns of queues make the largest figures on a board of a given size.

/** Shape of a card whose figures use its room best: width to height. */
const SHAPE = 1.5;

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
