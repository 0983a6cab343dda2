// The pages beside the calls, and who sees which.

import type { Centre } from '../features/centre/centre.svelte';
import { SHOWN } from '../shared/keys';
import type { Page } from '../shared/ui.svelte';

/** In the order of their keys. */
export const PAGES: readonly Page[] = ['desk', 'supervisor', 'wallboard', 'services'];

export const PAGE_KEYS: Record<Page, readonly string[]> = {
  desk: SHOWN.desk, supervisor: SHOWN.supervisor, wallboard: SHOWN.wallboard, services: SHOWN.services,
};

export function pagesOf(centre: Centre): Page[] {
  const has: Record<Page, boolean> = {
    desk: true,
    supervisor: centre.supervised.length > 0,
    wallboard: centre.queues.length > 0,
    services: centre.present.length > 0,
  };
  return PAGES.filter((page) => has[page]);
}
