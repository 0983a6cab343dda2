// The keys as this person has them. Kept in the page's own store, like the layout; other windows of the program follow.

import { asFile, type Bound, boundIn, FIRST_KEYS, type KeyMap, readFile } from './keymap';

const STORE = 'balie.keys';

function stored(): string | null {
  try {
    return localStorage.getItem(STORE);
  } catch {
    return null;
  }
}

function read(kept: string | null): KeyMap {
  const told = kept === null ? null : readFile(kept);
  return told !== null && 'map' in told ? told.map : FIRST_KEYS;
}

export class Keymap {
  map = $state.raw<KeyMap>(read(stored()));

  private readonly bound = $derived(boundIn(this.map));

  /** What a chord is for. */
  of(chord: string): Bound | undefined {
    return this.bound.get(chord);
  }

  change(map: KeyMap): void {
    this.map = map;
    try {
      localStorage.setItem(STORE, asFile(map));
    } catch {
      // Kept for as long as the page lives.
    }
  }

  /** Follows what another window of the program changes; returns what undoes it. */
  follow(): () => void {
    const heard = (event: StorageEvent): void => {
      if (event.key === STORE) this.map = read(event.newValue);
    };
    addEventListener('storage', heard);
    return () => removeEventListener('storage', heard);
  }
}

export const keymap = new Keymap();
