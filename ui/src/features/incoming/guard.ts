// A pop-up that appears while somebody types must not take the keys that were meant for elsewhere.

/** How long keys are ignored after the pop-up appeared or changed its caller, milliseconds. */
export const IGNORE_MS = 400;

/** Remembers when the pop-up appeared and says whether a key counts. Times in milliseconds on any one clock. */
export class KeyGuard {
  private since = Number.NEGATIVE_INFINITY;

  /** The pop-up appeared, came to the front, or shows another caller. */
  appeared(at: number): void {
    this.since = at;
  }

  /** True when a key pressed now was meant for the pop-up. */
  accepts(at: number): boolean {
    return at - this.since >= IGNORE_MS;
  }
}
