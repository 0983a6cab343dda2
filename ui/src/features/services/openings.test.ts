// Schedules read as on a door, in both languages.

import { describe, expect, it } from 'vitest';
import type { OpeningView } from '../../bindings';
import { en } from '../../i18n/en';
import { nl } from '../../i18n/nl';
import { opening, weekdays } from './openings';

const at = (more: Partial<OpeningView>): OpeningView => ({
  name: '', day: '2026-11-23', from: 510, lasts: 540, recurs: 'weekly', weekdays: [1, 2, 3, 4, 5], every: 1, ...more,
});

describe('openings', () => {
  it('put days of the week together', () => {
    expect(weekdays(nl, [1, 2, 3, 4, 5])).toBe('ma–vr');
    expect(weekdays(nl, [7, 1, 3, 4])).toBe('ma, wo, do, zo');
    expect(weekdays(en, [6, 7])).toBe('Sat, Sun');
    expect(weekdays(nl, [])).toBe('');
  });

  it('name times, dates and how often', () => {
    expect(opening(nl, at({}))).toBe('ma–vr 08:30–17:30');
    expect(opening(nl, at({ name: 'Koopavond', weekdays: [4], from: 1080, lasts: 180, every: 2 }))).toBe('Koopavond: do 18:00–21:00 elke 2 weken');
    expect(opening(nl, at({ name: 'Kerst', day: '2026-12-25', recurs: 'yearly', from: 0, lasts: 2880, weekdays: [] }))).toBe('Kerst: 25 dec–26 dec');
    expect(opening(en, at({ recurs: 'daily', weekdays: [] }))).toBe('every day 08:30–17:30');
    expect(opening(en, at({ recurs: 'once', day: '2026-12-31', from: 720, lasts: 720 }))).toBe('31 Dec 2026 12:00–00:00');
    expect(opening(en, at({ recurs: 'monthly', day: '2026-11-03', from: 540, lasts: 60 }))).toBe('on day 3 of the month 09:00–10:00');
  });

  it('do not fail on a day that is none', () => {
    expect(opening(nl, at({ recurs: 'once', day: '31-12', from: 0, lasts: 1440 }))).toBe('31-12');
  });
});
