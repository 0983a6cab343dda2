// The latest of every watched line, by extension, and when each change was seen here.

import { SvelteMap } from 'svelte/reactivity';
import type { LineView } from '../../bindings';
import { extensionOf, type Seen } from './lamp';

interface Known {
  line: LineView;
  seen: Seen;
}

export class Lamps {
  private readonly known = new SvelteMap<string, Known>();

  /** Takes in lines that changed; an older version never replaces a newer one. */
  apply(lines: readonly LineView[], now: number): void {
    for (const line of lines) {
      const key = extensionOf(line.uri);
      const before = this.known.get(key);
      if (before !== undefined && before.line.uri === line.uri && before.line.version > line.version) continue;
      if (line.gone) this.known.delete(key);
      else this.known.set(key, { line, seen: seenNow(before, line, now) });
    }
  }

  of(extension: string): Known | undefined {
    return this.known.get(extension);
  }

  get size(): number {
    return this.known.size;
  }
}

function seenNow(before: Known | undefined, line: LineView, now: number): Seen {
  const stale = line.stale_since === undefined ? null : (before?.seen.stale ?? now);
  // What held at first sight has held for nobody knows how long.
  if (before === undefined || before.line.state === 'unknown') return { state: null, stale };
  return { state: before.line.state === line.state ? before.seen.state : now, stale };
}
