// When a schedule holds, in words as on a door: "ma–vr 08:30–17:30".

import type { OpeningView } from '../../bindings';
import type { Messages } from '../../i18n';

const DAY = 24 * 60;
/** A Monday, to name the days of the week by. */
const MONDAY = Date.UTC(2024, 0, 1);

const clock = (minute: number): string => `${String(Math.floor((minute % DAY) / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

function named(t: Messages, ms: number, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(t.locale, { ...options, timeZone: 'UTC' }).format(ms).replaceAll(/[.,]/g, '');
}

const weekday = (t: Messages, day: number): string => named(t, MONDAY + (day - 1) * DAY * 60_000, { weekday: 'short' });

/** Days of the week; three or more in a row are from one to the other. */
export function weekdays(t: Messages, days: readonly number[]): string {
  const runs: number[][] = [];
  for (const day of [...new Set(days)].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && run.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  return runs
    .flatMap((run) => {
      const names = run.map((day) => weekday(t, day));
      return names.length > 2 ? [`${names[0] ?? ''}–${names.at(-1) ?? ''}`] : names;
    })
    .join(', ');
}

/** One time in which a schedule holds. */
export function opening(t: Messages, one: OpeningView): string {
  const first = Date.parse(`${one.day}T00:00:00Z`);
  const known = !Number.isNaN(first);
  const days = Math.floor((one.from + Math.max(1, one.lasts) - 1) / DAY);
  const times = one.from === 0 && one.lasts % DAY === 0 && one.lasts > 0 ? '' : `${clock(one.from)}–${clock(one.from + one.lasts)}`;
  const often = one.every > 1 && one.recurs !== 'once' ? t.services.every[one.recurs](one.every) : '';
  const when = {
    once: () => (known ? range(t, first, days, { day: 'numeric', month: 'short', year: 'numeric' }) : one.day),
    daily: () => (one.every > 1 ? '' : t.services.every.daily(1)),
    weekly: () => weekdays(t, one.weekdays),
    monthly: () => (known ? t.services.monthly(new Date(first).getUTCDate()) : ''),
    yearly: () => (known ? range(t, first, days, { day: 'numeric', month: 'short' }) : one.day),
  }[one.recurs]();
  return [one.name, [when, times, often].filter((part) => part !== '').join(' ')].filter((part) => part !== '').join(': ');
}

function range(t: Messages, first: number, days: number, options: Intl.DateTimeFormatOptions): string {
  const begin = named(t, first, options);
  return days === 0 ? begin : `${begin}–${named(t, first + days * DAY * 60_000, options)}`;
}
