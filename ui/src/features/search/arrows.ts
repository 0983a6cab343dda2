// Moving the highlight over a grid of tiles whose columns depend on the width of the window.

/** Where a tile stands, in pixels. */
export interface Spot {
  left: number;
  top: number;
}

export type Arrow = 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight';

/** Place of the tile an arrow leads to; the same place at the edge. `at` is -1 when nothing is highlighted. */
export function step(spots: readonly Spot[], at: number, arrow: Arrow): number {
  const here = spots[at];
  if (here === undefined) return spots.length === 0 ? -1 : arrow === 'ArrowUp' ? spots.length - 1 : 0;
  if (arrow === 'ArrowRight') return Math.min(at + 1, spots.length - 1);
  if (arrow === 'ArrowLeft') return Math.max(at - 1, 0);
  const down = arrow === 'ArrowDown';
  const tops = spots.map((spot) => spot.top).filter((top) => (down ? top > here.top : top < here.top));
  if (tops.length === 0) return at;
  const row = down ? Math.min(...tops) : Math.max(...tops);
  let best = at;
  let distance = Infinity;
  spots.forEach((spot, place) => {
    const away = Math.abs(spot.left - here.left);
    if (spot.top === row && away < distance) {
      best = place;
      distance = away;
    }
  });
  return best;
}
