// Dragging a caller onto somebody, somebody onto a caller, or a colleague to another place. Keys and buttons do the same.

import type { CallView, TargetView } from '../../bindings';
import type { Entry } from '../search/model.svelte';

export type Dragged = { kind: 'call'; call: CallView } | { kind: 'entry'; entry: Entry };

/** What lies where it can be dropped: the value of `data-drop`; a tile has it by its `data-key`. */
export const dropOn = { call: (id: number): string => `call ${id}`, entry: (key: string): string => `entry ${key}`, way: ({ way, to }: TargetView): string => `way ${way} ${to}` };

/** Pixels that a press moves before it is a drag. */
const THRESHOLD = 6;

class Drag {
  what = $state.raw<Dragged | null>(null);
  at = $state.raw({ x: 0, y: 0 });
  /** What lies under the pointer. */
  over = $state<string | null>(null);
  /** Ctrl is held: at once, without asking. */
  direct = $state(false);
}

export const drag = new Drag();

function under({ clientX, clientY }: PointerEvent): string | null {
  const place = document.elementFromPoint(clientX, clientY)?.closest<HTMLElement>('[data-drop], [role="option"][data-key]')?.dataset;
  if (place === undefined) return null;
  return place.drop ?? dropOn.entry(place.key ?? '');
}

/** Follows a press until it is let go. Nothing happens before it has moved; Esc and a lost pointer give it up. */
export function follow(press: PointerEvent, what: Dragged, ondrop: (onto: string, direct: boolean) => void): void {
  const from = press.target;
  if (press.button !== 0 || !press.isPrimary || !(from instanceof Element)) return;
  // A button keeps its press unless it is what is dragged, and text can be picked.
  const keeps = from.closest('button, input, select, textarea, a, .pick');
  if (keeps !== null && keeps !== press.currentTarget) return;
  const over = new AbortController();
  const { signal } = over;
  const end = (drop: boolean): void => {
    over.abort();
    const { over: onto, direct } = drag;
    const dragged = drag.what !== null;
    drag.what = null;
    drag.over = null;
    if (drop && dragged && onto !== null) ondrop(onto, direct);
  };
  const move = (event: PointerEvent): void => {
    if (drag.what === null && Math.hypot(event.clientX - press.clientX, event.clientY - press.clientY) < THRESHOLD) return;
    drag.what = what;
    drag.at = { x: event.clientX, y: event.clientY };
    drag.direct = event.ctrlKey || event.metaKey;
    drag.over = under(event);
  };
  addEventListener('pointermove', move, { signal });
  addEventListener('pointerup', (event) => { move(event); end(true); }, { signal });
  addEventListener('pointercancel', () => end(false), { signal });
  addEventListener('blur', () => end(false), { signal });
  addEventListener('keydown', (event) => {
    if (event.key === 'Control' || event.key === 'Meta') drag.direct = true;
    if (event.key !== 'Escape' || drag.what === null) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    end(false);
  }, { signal, capture: true });
}
