// Callers are put in another order by dragging the number before them. Buttons and keys do the same.

/** Where a row let go at this height would stand, from 1; `middles` are those of the rows, top to bottom, the moved one among them. */
export function placeAt(y: number, middles: readonly number[], from: number): number {
  const others = middles.filter((_, place) => place !== from - 1);
  return others.filter((middle) => middle < y).length + 1;
}

export interface Drag {
  /** The place a row is at while it is held, from 1. */
  onplace: (to: number) => void;
  /** It was let go there; null: the drag was given up. */
  onend: (to: number | null) => void;
}

/** Follows the pointer from a press on the handle of a row until it is let go. Esc and a lost pointer give it up. */
export function drag(press: PointerEvent, row: HTMLElement, { onplace, onend }: Drag): void {
  const handle = press.currentTarget;
  const list = row.parentElement;
  if (press.button !== 0 || !(handle instanceof HTMLElement) || list === null) return;
  press.preventDefault();
  handle.focus();
  const rows = [...list.children];
  const middles = rows.map((one) => one.getBoundingClientRect()).map(({ top, height }) => top + height / 2);
  const from = rows.indexOf(row) + 1;
  let to = from;
  const over = new AbortController();
  const end = (done: boolean): void => {
    over.abort();
    onend(done && to !== from ? to : null);
  };
  const { signal } = over;
  handle.setPointerCapture?.(press.pointerId);
  handle.addEventListener('pointermove', (event) => {
    to = placeAt(event.clientY, middles, from);
    onplace(to);
  }, { signal });
  handle.addEventListener('pointerup', () => end(true), { signal });
  handle.addEventListener('pointercancel', () => end(false), { signal });
  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopImmediatePropagation();
    end(false);
  }, { signal, capture: true });
}
