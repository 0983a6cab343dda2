// Notes that have yet to be written in a calendar, in words.

import type { SourceView } from '../../bindings';
import type { Messages } from '../../i18n';
import { momentOf } from '../history/outcome';

/** What is said of the first of these sources that could not take a note; empty: all is written. */
export function unwrittenOf(t: Messages, sources: readonly SourceView[], now: number): string {
  const waiting = sources.find((source) => source.unwritten !== null)?.unwritten;
  if (waiting === undefined || waiting === null) return '';
  const at = waiting.next_ms === null ? null : momentOf(t, waiting.next_ms, now);
  return t.sources.unwritten(waiting.notes, t.sources.trouble[waiting.trouble], at);
}
