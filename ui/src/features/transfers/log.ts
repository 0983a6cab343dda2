// The last transfers and how they went, as one view follows another. Kept while the page lives.

import type { AppView, Code, PeerView } from '../../bindings';

export interface PastTransfer {
  key: string;
  from: PeerView;
  to: PeerView;
  done: boolean;
  reason: Code | null;
  at: number;
  /** From the wish until it was over, milliseconds. */
  took: number;
}

const KEPT = 20;

/** Adds what came to its end between two views, newest first. */
export function follow(log: readonly PastTransfer[], before: AppView, after: AppView, now: number): readonly PastTransfer[] {
  const fresh: PastTransfer[] = [];
  for (const call of after.calls) {
    const earlier = before.calls.find((one) => one.id === call.id);
    const state = call.transfer?.state;
    if (earlier === undefined || call.transfer === null || state === earlier.transfer?.state) continue;
    if (state !== 'done' && state !== 'failed') continue;
    fresh.push({
      key: `${call.id} ${now}`,
      from: call.peer,
      to: call.transfer.to.uri === '' && call.transfer.to.number === '' ? (earlier.transfer?.to ?? call.transfer.to) : call.transfer.to,
      done: state === 'done',
      reason: call.transfer.reason,
      at: now,
      took: Math.max(0, now - earlier.since_ms),
    });
  }
  return fresh.length === 0 ? log : [...fresh, ...log].slice(0, KEPT);
}
