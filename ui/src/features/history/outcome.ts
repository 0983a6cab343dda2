// How a past call went, in words.

import type { HistoryEntry } from '../../bindings';
import { duration, shortDay, timeOfDay, type Messages } from '../../i18n';

/** When it was: the time, and the day when that is not today. */
export function momentOf(t: Messages, ms: number, now: number): string {
  const day = shortDay(t, ms);
  return day === shortDay(t, now) ? timeOfDay(t, ms) : `${day} ${timeOfDay(t, ms)}`;
}

/** The length of the conversation, or why there was none; of a missed call, that it is settled. */
export function outcomeOf(t: Messages, entry: HistoryEntry, now: number): string {
  if (entry.called_back !== null) return t.history.calledBack(momentOf(t, entry.called_back.at_ms, now), entry.called_back.by);
  if (entry.elsewhere && entry.outcome === 'answered') return t.history.elsewhere;
  if (entry.outcome === 'answered') return duration(entry.seconds * 1000);
  if (entry.outcome === 'failed' && entry.reason !== null) return t.codes[entry.reason].what;
  return t.history.outcome[entry.outcome];
}
