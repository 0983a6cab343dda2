// The exchanges behind the accounts and their queues, as the program told them last.

import type { CapabilityName, CentreView, QueueView } from '../../bindings';

export class Centre {
  centres = $state.raw<readonly CentreView[]>([]);
  queues = $state.raw<readonly QueueView[]>([]);

  /** Exchanges that are set up, in the order of the accounts. */
  readonly present: readonly CentreView[] = $derived.by(() => this.centres.filter((one) => one.link.state !== 'absent'));

  /** The one that the bar and the lamps are about; null: no account has one. */
  readonly main: CentreView | null = $derived(this.present[0] ?? null);

  /** Queues in the order in which the exchanges show them. */
  readonly ordered: readonly QueueView[] = $derived.by(() => {
    const place = (queue: QueueView): number => {
      const at = this.centres.findIndex((one) => one.account === queue.account);
      const within = this.centres[at]?.queues.indexOf(queue.queue) ?? -1;
      return at * 10_000 + (within < 0 ? 9_999 : within);
    };
    return [...this.queues].sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name));
  });

  readonly supervised: readonly QueueView[] = $derived.by(() => this.ordered.filter((queue) => queue.supervised));

  /** Takes in one exchange; an older version never replaces a newer one. */
  apply(view: CentreView): void {
    const before = this.centres.find((one) => one.account === view.account);
    if (before !== undefined && before.version > view.version) return;
    this.centres = before === undefined ? [...this.centres, view] : this.centres.map((one) => (one === before ? view : one));
  }

  /** Takes in queues that changed, each whole. */
  applyQueues(views: readonly QueueView[]): void {
    let next = [...this.queues];
    for (const view of views) {
      const same = (one: QueueView): boolean => one.account === view.account && one.queue === view.queue;
      const before = next.find(same);
      if (before !== undefined && before.version > view.version) continue;
      next = next.filter((one) => !same(one));
      if (!view.gone) next.push(view);
    }
    this.queues = next;
  }

  may(capability: CapabilityName): boolean {
    return this.present.some((one) => one.capabilities.includes(capability));
  }
}
