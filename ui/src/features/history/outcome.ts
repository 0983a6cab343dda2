// How a past call went, in words.

import type { HistoryEntry } from '../../bindings';
import { duration, type Messages } from '../../i18n';

/** The length of the conversation, or why there was none. */
export function outcomeOf(t: Messages, entry: HistoryEntry): string {
  if (entry.outcome === 'answered') return duration(entry.seconds * 1000);
  if (entry.outcome === 'failed' && entry.reason !== null) return t.codes[entry.reason].what;
  return t.history.outcome[entry.outcome];
}
