// The latest of every watched line, by account and extension, and when each change was seen here.
// Two companies at one desk may have the same extensions.

import { SvelteMap } from 'svelte/reactivity';
import type { LineView } from '../../bindings';
import { extensionOf, type Seen, showsTheSame } from './lamp';

interface Known {
  line: LineView;
  seen: Seen;
}

export class Lamps {
  private readonly known = new SvelteMap<string, Known>();

  /** Takes in lines that changed; an older version never replaces a newer one. */
  apply(lines: readonly LineView[], now: number): void {
    for (const line of lines) {
      const key = keyOf(line.account, extensionOf(line.uri));
      const before = this.known.get(key);
      if (before !== undefined && before.line.uri === line.uri && before.line.version > line.version) continue;
      if (line.gone) this.known.delete(key);
      else this.known.set(key, { line, seen: seenNow(before, line, now) });
    }
  }

  of(account: string, extension: string): Known | undefined {
    return this.known.get(keyOf(account, extension));
  }

  get size(): number {
    return this.known.size;
  }
}

/** An account's id has no space. */
const keyOf = (account: string, extension: string): string => `${account} ${extension}`;

function seenNow(before: Known | undefined, line: LineView, now: number): Seen {
  const stale = line.stale_since_ms ?? null;
  // What held at first sight has held for nobody knows how long.
  if (before === undefined || (before.line.state === 'unknown' && line.state !== 'unknown')) return { state: null, stale };
  return { state: showsTheSame(before.line, line) ? before.seen.state : now, stale };
}
