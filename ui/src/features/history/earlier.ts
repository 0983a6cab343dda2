// Earlier contacts with a caller.

import type { CallView, HistoryEntry } from '../../bindings';
import { type Messages, shortDay, timeOfDay } from '../../i18n';

/** The last contacts with whom a call is with, newest first; none for one without a number. */
export function earlierWith(history: readonly HistoryEntry[], call: CallView, most: number): HistoryEntry[] {
  if (call.peer.number === '') return [];
  return history.filter((entry) => entry.peer.number === call.peer.number && entry.id !== call.id).slice(0, most);
}

/** The time of day of what was today, else the day. */
export const whenWas = (t: Messages, ms: number, now: number): string =>
  shortDay(t, ms) === shortDay(t, now) ? timeOfDay(t, ms) : shortDay(t, ms);
