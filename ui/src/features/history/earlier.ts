// When an earlier contact with a caller was.

import { type Messages, shortDay, timeOfDay } from '../../i18n';

/** The time of day of what was today, else the day. */
export const whenWas = (t: Messages, ms: number, now: number): string =>
  shortDay(t, ms) === shortDay(t, now) ? timeOfDay(t, ms) : shortDay(t, ms);
