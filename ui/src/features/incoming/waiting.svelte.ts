// Which of the ringing calls a key answers: the longest waiting, or another one that is chosen.

import type { CallView } from '../../bindings';
import type { Desk } from '../../shared/desk.svelte';
import { CallGuard } from './guard';

export class Waiting {
  /** The other one, when one was chosen. */
  private chosen = $state<number | null>(null);
  readonly guard = new CallGuard(() => performance.now());

  /** The one that was chosen, while he rings; null when none was. */
  picked(ringing: readonly CallView[]): CallView | null {
    return ringing.find((call) => call.id === this.chosen) ?? null;
  }

  /** The one that the second key answers: the chosen one, else the second longest; null when only one rings. */
  of(ringing: readonly CallView[]): CallView | null {
    const others = ringing.slice(1);
    return others.find((call) => call.id === this.chosen) ?? others[0] ?? null;
  }

  /** Chooses the next one. False when there is no other. */
  choose(desk: Desk): boolean {
    const others = desk.ringing.slice(1);
    const now = this.of(desk.ringing);
    const next = others[(others.findIndex((call) => call.id === now?.id) + 1) % Math.max(1, others.length)];
    if (next === undefined) return false;
    this.chosen = next.id;
    // Whoever chooses has seen whom.
    this.guard.chosen(next.id);
    return true;
  }
}

export const waiting = new Waiting();

export const other = (desk: Desk): CallView | null => waiting.of(desk.ringing);
