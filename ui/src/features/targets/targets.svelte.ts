// The ways to reach the chosen one, as the program knows them: his line, his mobile, his voicemail, a place to park at.

import type { TargetView } from '../../bindings';
import type { Desk } from '../../shared/desk.svelte';
import type { Entry } from '../search/model.svelte';

/** What a list of ways is asked for. */
interface Whose {
  target: string;
  account: string;
}

const ask = (desk: Desk, { target, account }: Whose): Promise<TargetView[]> =>
  desk.ask({ cmd: 'target.list', target, ...(account === '' ? {} : { account }) });

/** The ways to reach somebody; none when there is no telling. */
export const waysOf = (desk: Desk, of: Whose): Promise<TargetView[]> => ask(desk, of).catch(() => []);

/** The ways of whoever is chosen, followed as another one is. To be made while a component is. */
export class Ways {
  list = $state.raw<readonly TargetView[]>([]);

  constructor(desk: Desk, of: () => Entry | null) {
    const whose = $derived(of());
    // As texts they only change when it is somebody else.
    const target = $derived(whose?.target ?? '');
    const account = $derived(whose?.account ?? '');
    $effect(() => {
      const asked = { target, account };
      this.list = [];
      if (asked.target === '') return;
      void ask(desk, asked)
        .then((found) => {
          if (asked.target === target && asked.account === account) this.list = found;
        })
        // A text that is no number has no ways.
        .catch(() => undefined);
    });
  }
}

/** The menu of the ways to reach the highlighted one; each has a number key. */
export class TargetMenu {
  /** Whose; null while it is closed. */
  of = $state.raw<Entry | null>(null);
  list = $state.raw<readonly TargetView[]>([]);
  /** The one that Enter is for. */
  at = $state(0);

  readonly open: boolean = $derived(this.of !== null);

  /** Opens it for somebody. False when there is no way to reach him. */
  async show(desk: Desk, of: Entry): Promise<boolean> {
    const list = await waysOf(desk, of);
    if (list.length === 0) return false;
    // The line itself is what Enter is for without a menu.
    [this.of, this.list, this.at] = [of, list, list.length > 1 ? 1 : 0];
    return true;
  }

  close(): boolean {
    const was = this.open;
    this.of = null;
    return was;
  }

  move(by: number): void {
    this.at = (this.at + by + this.list.length) % this.list.length;
  }
}

export const targetMenu = new TargetMenu();
