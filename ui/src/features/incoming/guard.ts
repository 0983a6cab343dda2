// A call that appears while somebody types or talks must not take the keys that were meant for elsewhere.

/** How long keys are ignored after a call appeared or took another one's place, milliseconds. */
export const IGNORE_MS = 400;

/** How long a first press waits for the second, milliseconds. */
export const AGREE_MS = 5_000;

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

/**
 * The same for the calls that ring in the main window: a key answers a call only once it has stood in its place for a while.
 * The first one to ring while nobody is on the line may be answered at once: no key can have been meant for another.
 */
export class CallGuard {
  /** Milliseconds, on any one clock. */
  now: () => number;
  private readonly since = new Map<number, number>();
  private places: readonly number[] = [];
  private busy = false;
  private freed = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.now = now;
  }

  /** The calls that ring, in their places; `busy`: somebody is on the line. */
  see(ringing: readonly number[], busy: boolean): void {
    if (this.busy && !busy) this.freed = this.now();
    this.busy = busy;
    const calm = this.places.length === 0 && !busy;
    for (const [place, call] of ringing.entries()) {
      if (this.places[place] === call) continue;
      this.since.set(call, calm && place === 0 ? Number.NEGATIVE_INFINITY : this.now());
    }
    for (const call of this.since.keys()) if (!ringing.includes(call)) this.since.delete(call);
    this.places = [...ringing];
  }

  /** The user chose this one himself. */
  chosen(call: number): void {
    this.since.set(call, Number.NEGATIVE_INFINITY);
  }

  /** True when a key pressed now may answer this call. */
  accepts(call: number): boolean {
    return this.now() - (this.since.get(call) ?? Number.NEGATIVE_INFINITY) >= IGNORE_MS;
  }

  /** True when a key pressed now may be about this call instead of one that was on the line: that one is gone for a while. */
  acceptsAlone(call: number): boolean {
    return this.accepts(call) && this.now() - this.freed >= IGNORE_MS;
  }

  /**
   * What a key that answers does to this call. While somebody is on the line, answering puts him on hold: the first press
   * asks, and only another one, neither at once nor much later, answers.
   */
  press(call: number, talking: boolean): 'answer' | 'too_soon' | 'again' {
    const now = this.now();
    const first = this.asked?.call === call && now - this.asked.at < AGREE_MS ? this.asked.at : null;
    if (this.accepts(call) && (!talking || (first !== null && now - first >= IGNORE_MS))) {
      this.asked = null;
      return 'answer';
    }
    // A key that bounces asks no second time.
    if (first === null) this.asked = { call, at: now };
    return this.accepts(call) ? 'again' : 'too_soon';
  }

  private asked: { call: number; at: number } | null = null;
}
