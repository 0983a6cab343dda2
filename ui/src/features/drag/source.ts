// Makes an element something to drag.

import type { Desk } from '../../shared/desk.svelte';
import { theSearch } from '../search/current';
import { type Dragged, follow } from './drag.svelte';
import { dropped } from './onto';

/** `onpointerdown` of what can be dragged. */
export function dragged(desk: Desk, what: () => Dragged): (press: PointerEvent) => void {
  return (press) => {
    const search = theSearch();
    const held = what();
    if (search !== undefined) follow(press, held, (onto, direct) => dropped(desk, search, held, onto, direct));
  };
}
