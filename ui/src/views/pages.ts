// The pages beside the calls, and who sees which.

import type { Centre } from '../features/centre/centre.svelte';
import { SHOWN } from '../shared/keys';
import type { Page } from '../shared/ui.svelte';

/** In the order of their keys. */
export const PAGES: readonly Page[] = ['desk', 'supervisor', 'wallboard', 'services', 'contacts'];

export const pageKeys = (page: Page): readonly string[] => SHOWN[page];

export function pagesOf(centre: Centre): Page[] {
  const has: Record<Page, boolean> = {
    desk: true,
    supervisor: centre.supervised.length > 0,
    wallboard: centre.queues.length > 0,
    services: centre.present.length > 0,
    contacts: true,
  };
  return PAGES.filter((page) => has[page]);
}
