// What a calendar says of somebody, in words: until when, and when he is free again.

import type { CalendarView } from '../../bindings';
import { type Messages, timeOfDay } from '../../i18n';

/** Words for what somebody is by his calendar. */
export function freeWords(t: Messages, told: CalendarView): string {
  const at = (ms: number | null): string | null => (ms === null ? null : timeOfDay(t, ms));
  return t.sources.calendar.kinds[told.kind](at(told.until_ms), at(told.free_ms));
}
