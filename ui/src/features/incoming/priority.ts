// Whether a caller goes before others, as the program tells: by the queue he came through, or as a favourite among the contacts.

import type { CallView } from '../../bindings';
import type { Messages } from '../../i18n';
import type { IconName } from '../../shared/Icon.svelte';

export interface Priority {
  kind: 'queue' | 'vip';
  icon: IconName;
  word: string;
}

/** The mark of a caller who goes before others; null for all others. */
export function priorityOf(t: Messages, call: Pick<CallView, 'vip' | 'queue'>): Priority | null {
  const turn = call.queue?.priority ?? null;
  if (turn === 'highest' || turn === 'high') return { kind: 'queue', icon: 'up', word: t.queue.priorities[turn] };
  return call.vip ? { kind: 'vip', icon: 'star', word: t.calls.vip } : null;
}
