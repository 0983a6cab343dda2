// The list of calls: only what is near is drawn, and the rest as one comes to it.

import { waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HistoryEntry } from '../../bindings';
import { leave, open } from '../../views/harness';

/** Comes into sight when the test says so. */
let come: (() => void) | undefined;

beforeEach(() => {
  vi.stubGlobal('IntersectionObserver', class {
    constructor(seen: IntersectionObserverCallback) {
      come = () => seen([{ isIntersecting: true } as IntersectionObserverEntry], this as unknown as IntersectionObserver);
    }
    observe(): void {
      // Nothing is in sight by itself.
    }
    disconnect(): void {
      come = undefined;
    }
  });
});
afterEach(() => {
  leave();
  vi.unstubAllGlobals();
});

const call = (id: number): HistoryEntry => ({
  id, account: 'main', direction: 'in', peer: { uri: '', name: `Beller ${id}`, number: '0301234567' },
  started_ms: 1_000_000 - id, seconds: 3, outcome: 'answered', reason: null, called_back: null, elsewhere: false,
});

describe('the list of calls', () => {
  it('draws thirty, and more when their end comes near', async () => {
    const host = await open();
    host.change({ history: Array.from({ length: 70 }, (_, place) => call(place + 1)) });
    const rows = (): number => document.querySelectorAll('[data-pane="history"] li').length;
    await waitFor(() => expect(rows()).toBe(30));
    come?.();
    await waitFor(() => expect(rows()).toBe(60));
    come?.();
    await waitFor(() => expect(rows()).toBe(70));
    expect(document.querySelector('[data-end]')).toBeNull();
  });
});
