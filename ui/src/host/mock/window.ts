// The window of the scripted program: as much of one as a browser has.

import type { OwnWindow } from '../types';

export class MockWindow implements OwnWindow {
  /** True once the page asked to be closed, for tests. */
  closed = false;
  private full = false;

  fillsScreen(): Promise<boolean> {
    return Promise.resolve(this.full);
  }

  async fillScreen(on: boolean): Promise<void> {
    this.full = on;
    // A browser may refuse, and a test has no screen.
    const done = on ? document.documentElement.requestFullscreen?.() : document.exitFullscreen?.();
    await done?.catch(() => undefined);
  }

  close(): Promise<void> {
    this.closed = true;
    if (!import.meta.env.VITEST) globalThis.close();
    return Promise.resolve();
  }
}
