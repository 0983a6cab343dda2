// What is open on the page: overlays, the keypad, and where the focus goes back to. Nothing of the calls themselves.

import { layout } from './layout.svelte';

export type Overlay = 'keys' | 'account' | 'view' | 'agent' | 'night' | null;

/** What the two columns beside the calls show. */
export type Page = 'desk' | 'supervisor' | 'wallboard' | 'services' | 'contacts';

/** How long words for the eye stay, milliseconds. */
const SEEN_MS = 8_000;

export class Ui {
  overlay = $state<Overlay>(null);
  page = $state<Page>('desk');
  /** Call whose keypad is open. */
  keypadCall = $state<number | null>(null);
  /** True while the account overlay shows the form at once. */
  editAccount = $state(false);
  /** Counts how often the missed calls were asked for. */
  missedAsked = $state(0);
  /** The last time that they were shown. */
  missedShown = 0;
  /** True while the next press becomes a key of something, and does nothing else. */
  capturing = $state(false);
  /** Words for the live region that belong to no state: "no call for this key". */
  said = $state('');
  /** The same words for the eye, as long as they are worth reading. */
  seen = $state('');
  private fading: ReturnType<typeof setTimeout> | undefined;

  private searchField: HTMLInputElement | null = null;
  private clearing: (() => boolean) | null = null;

  /** The search field tells where it is, and how to empty it (true when there was something to empty). */
  registerSearch(field: HTMLInputElement, clear: () => boolean): () => void {
    this.searchField = field;
    this.clearing = clear;
    return () => {
      this.searchField = null;
      this.clearing = null;
    };
  }

  /** Says something to ear and eye; empty takes it back. */
  say(words: string): void {
    this.said = words;
    this.seen = words;
    clearTimeout(this.fading);
    if (words !== '') this.fading = setTimeout(() => (this.seen = ''), SEEN_MS);
  }

  focusSearch(select = true): void {
    this.searchField?.focus();
    if (select) this.searchField?.select();
  }

  clearSearch(): boolean {
    return this.clearing?.() ?? false;
  }

  /** Shows the missed calls, wherever the user is. */
  showMissed(): void {
    this.overlay = null;
    this.page = 'desk';
    layout.bring('history');
    this.missedAsked += 1;
  }

  openAccount(edit = false): void {
    this.editAccount = edit;
    this.overlay = 'account';
  }

  /** Closes the topmost thing; false when nothing was open. */
  closeTopmost(): boolean {
    if (this.overlay !== null) {
      this.overlay = null;
      return true;
    }
    if (this.keypadCall !== null) {
      this.keypadCall = null;
      this.focusSearch();
      return true;
    }
    if (this.page !== 'desk') {
      this.page = 'desk';
      return true;
    }
    return false;
  }
}

export const ui = new Ui();
