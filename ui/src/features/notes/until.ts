// Until when a note holds: a choice of days, to the end of the day by the clock on the wall.

export const LASTS = ['always', 'today', 'tomorrow', 'week', 'fortnight', 'month'] as const;
export type Lasts = (typeof LASTS)[number];

/** The end of the last day, milliseconds since the Unix epoch; null for a note that stays. */
export function untilOf(lasts: Lasts, now: number): number | null {
  if (lasts === 'always') return null;
  const day = new Date(now);
  // This week ends with its Friday; from Friday on the next one is meant.
  const toFriday = (5 - day.getDay() + 7) % 7;
  const days = { today: 0, tomorrow: 1, week: toFriday === 0 ? 7 : toFriday, fortnight: 14, month: 30 }[lasts];
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days + 1).getTime();
}
