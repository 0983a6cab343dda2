// What is open on the page: overlays, the keypad, and where the focus goes back to. Nothing of the calls themselves.

export type Overlay = 'keys' | 'account' | 'view' | 'agent' | 'night' | null;

/** What the two columns beside the calls show. */
export type Page = 'desk' | 'supervisor' | 'wallboard' | 'services';

export class Ui {
  overlay = $state<Overlay>(null);
  page = $state<Page>('desk');
  /** Call whose keypad is open. */
  keypadCall = $state<number | null>(null);
  /** True while the account overlay shows the form at once. */
  editAccount = $state(false);
  /** Words for the live region that belong to no state: "no call for this key". */
  said = $state('');

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

  focusSearch(select = true): void {
    this.searchField?.focus();
    if (select) this.searchField?.select();
  }

  clearSearch(): boolean {
    return this.clearing?.() ?? false;
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
