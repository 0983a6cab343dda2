// The last contacts with a number, as far back as calls are kept: those of the view at once, older ones once they are read.

import type { HistoryEntry } from '../../bindings';
import type { Desk } from '../../shared/desk.svelte';

/** With whom, and which call is going on and so is no earlier one. An empty number: nobody. */
export interface With {
  number: string;
  call: number | null;
}

export class Past {
  private kept = $state.raw<readonly HistoryEntry[]>([]);
  private readonly of: () => With;
  private readonly desk: Desk;
  private readonly most: number;

  /** Newest first. */
  readonly entries: readonly HistoryEntry[] = $derived.by(() => {
    const { number, call } = this.of();
    const shown = this.desk.view.history.filter((entry) => number !== '' && entry.peer.number === number && entry.id !== call);
    // A call of this run has another id where it is kept.
    const older = this.kept.filter((entry) => !shown.some((one) => one.started_ms === entry.started_ms));
    return [...shown, ...older].sort((a, b) => b.started_ms - a.started_ms).slice(0, this.most);
  });

  /** To be made while a component is. */
  constructor(desk: Desk, of: () => With, most: number) {
    [this.desk, this.of, this.most] = [desk, of, most];
    const number = $derived(of().number);
    $effect(() => {
      const asked = number;
      this.kept = [];
      if (asked === '') return;
      void desk
        .ask({ cmd: 'history.list', number: asked, limit: most + 1 })
        .then((found) => {
          if (asked === number) this.kept = found;
        })
        // A text that is no number has no calls.
        .catch(() => undefined);
    });
  }
}
