// The search of this page, for what is dragged from other columns.

import type { Search } from './model.svelte';

let search: Search | undefined;

/** The search of the page; undefined in windows that have none. */
export const theSearch = (): Search | undefined => search;

export function provideSearch(made: Search): void {
  search = made;
}
