// A lamp says what the exchange said, and says when it may be wrong.

import { describe, expect, it } from 'vitest';
import type { LineView } from '../../bindings';
import { nl } from '../../i18n/nl';
import { extensionOf, isFree, lampOf } from './lamp';
import { Lamps } from './lamps.svelte';

const line = (part: Partial<LineView> = {}): LineView => ({
  uri: 'sip:202@pbx.example', account: 'main', name: '', state: 'idle', version: 1, gone: false, ...part,
});
const FRESH = { state: null, stale: null };

describe('a lamp', () => {
  it('has a shape of its own for each state, and words', () => {
    const states = ['idle', 'ringing', 'busy', 'held', 'unreachable', 'unknown'] as const;
    const lamps = states.map((state) => lampOf(nl, line({ state }), FRESH, 0));
    expect(new Set(lamps.map((lamp) => lamp.icon)).size).toBe(states.length);
    expect(lamps.map((lamp) => lamp.words).every((words) => words !== '')).toBe(true);
  });

  it('says with whom, where that was told', () => {
    const peer = { uri: 'sip:0611223344@pbx.example', name: '', number: '06 1122 3344' };
    expect(lampOf(nl, line({ state: 'busy', peer }), FRESH, 0).words).toBe('Met 06 1122 3344');
    expect(lampOf(nl, line({ state: 'ringing', peer, direction: 'in' }), FRESH, 0).words).toBe('Gebeld door 06 1122 3344');
    expect(lampOf(nl, line({ state: 'ringing', peer, direction: 'out' }), FRESH, 0).words).toBe('Belt 06 1122 3344');
  });

  it('shows doubt before anything else, with its age', () => {
    const doubtful = lampOf(nl, line({ state: 'busy', stale_since_ms: 10_000 }), { state: 0, stale: 10_000 }, 50_000);
    expect(doubtful.icon).toBe('unsure');
    expect(doubtful.words).toMatch(/Onzeker.*40/);
  });

  it('shows what somebody has set for his line while he is in no call: where a caller would go first', () => {
    expect(lampOf(nl, line({ do_not_disturb: true }), FRESH, 0)).toMatchObject({ icon: 'dnd', tone: 'dnd', words: nl.lamp.closed });
    expect(lampOf(nl, line({ do_not_disturb: true, forwarded: '06 1234 5678' }), FRESH, 0)).toMatchObject({ icon: 'forward', words: nl.lamp.forwarded('06 1234 5678') });
    expect(lampOf(nl, line({ forwarded: '' }), FRESH, 0)).toMatchObject({ icon: 'forward', words: 'Doorgeschakeld' });
    expect(lampOf(nl, line({ state: 'busy', do_not_disturb: true }), FRESH, 0).icon).toBe('busy');
  });

  it('shows what presence tells, as long as no call tells more', () => {
    const presence = (activities: string[], open: boolean | null = true): LineView['presence'] => ({ open, note: null, activities });
    expect(lampOf(nl, line({ presence: presence(['meeting']) }), FRESH, 0)).toMatchObject({ icon: 'calendar', words: 'Overleg' });
    expect(lampOf(nl, line({ presence: presence(['lunch']) }), FRESH, 0)).toMatchObject({ icon: 'calendar', words: 'Afwezig' });
    expect(lampOf(nl, line({ presence: presence([], false) }), FRESH, 0)).toMatchObject({ icon: 'dnd', tone: 'dnd' });
    expect(lampOf(nl, line({ state: 'unknown', presence: presence(['on-the-phone']) }), FRESH, 0).icon).toBe('busy');
    expect(lampOf(nl, line({ state: 'ringing', presence: presence(['away']) }), FRESH, 0).icon).toBe('ringing');
    expect(lampOf(nl, line({ presence: presence([]) }), FRESH, 0).icon).toBe('free');
  });

  it('says when somebody is free again by his calendar, as long as nothing else tells more', () => {
    const at = new Date(2026, 10, 26, 14, 30).getTime();
    const calendar = (kind: 'free' | 'busy' | 'away' | 'tentative', free_ms: number | null = at): LineView['calendar'] => ({ kind, until_ms: at, free_ms });
    expect(lampOf(nl, line({ calendar: calendar('busy') }), FRESH, 0)).toMatchObject({ icon: 'calendar', tone: 'forward', words: 'In een afspraak, vrij om 14:30', short: 'vrij 14:30' });
    expect(lampOf(nl, line({ calendar: calendar('away', null) }), FRESH, 0)).toMatchObject({ icon: 'calendar', words: 'Afwezig tot 14:30', short: nl.lamp.awayShort });
    // Who may have something, or is free until then, can be called.
    for (const kind of ['free', 'tentative'] as const) expect(lampOf(nl, line({ calendar: calendar(kind, null) }), FRESH, 0).icon).toBe('free');
    expect(lampOf(nl, line({ state: 'busy', calendar: calendar('busy') }), FRESH, 0).icon).toBe('busy');
    expect(lampOf(nl, line({ do_not_disturb: true, calendar: calendar('busy') }), FRESH, 0).icon).toBe('dnd');
  });

  it('is counted as free exactly where it shows that', () => {
    const calendar: LineView['calendar'] = { kind: 'busy', until_ms: 0, free_ms: null };
    const activities = [[], ['meeting'], ['lunch'], ['on-the-phone'], ['working']];
    const presences: LineView['presence'][] = [undefined, ...activities.map((these) => ({ open: true, note: null, activities: these })), { open: false, note: null, activities: [] }];
    const states: LineView['state'][] = ['idle', 'ringing', 'busy', 'held', 'unreachable', 'unknown'];
    const sets: Partial<LineView>[] = [{}, { do_not_disturb: true }, { forwarded: '' }, { stale_since_ms: 1 }, { calendar }];
    const every = states.flatMap((state) => presences.flatMap((presence) => sets.map((set) => line({ state, ...(presence === undefined ? {} : { presence }), ...set }))));
    expect(every.filter(isFree)).toEqual(every.filter((one) => lampOf(nl, one, FRESH, 0).tone === 'free'));
    // Nobody in a meeting by presence is among them; one who works is.
    expect(every.filter(isFree).map((one) => one.presence?.activities[0])).toEqual([undefined, undefined, 'working']);
  });

  it('is found by extension', () => {
    expect(extensionOf('sip:202@pbx.example;transport=tcp')).toBe('202');
    expect(extensionOf('SIPS:a.b@x')).toBe('a.b');
    expect(extensionOf('202')).toBe('202');
  });
});

describe('lamps', () => {
  it('count a state from when its change was seen, and never go back to an older version', () => {
    const lamps = new Lamps();
    lamps.apply([line()], 1_000);
    expect(lamps.of('main', '202')?.seen.state).toBeNull();
    lamps.apply([line({ state: 'busy', version: 3 })], 5_000);
    lamps.apply([line({ state: 'ringing', version: 2 })], 6_000);
    expect(lamps.of('main', '202')?.line.state).toBe('busy');
    expect(lamps.of('main', '202')?.seen.state).toBe(5_000);
    lamps.apply([line({ state: 'busy', version: 4, stale_since_ms: 7_000 })], 8_000);
    lamps.apply([line({ state: 'busy', version: 5, stale_since_ms: 7_000 })], 9_000);
    expect(lamps.of('main', '202')?.seen).toEqual({ state: 5_000, stale: 7_000 });
    // The same extension of another company is another line.
    lamps.apply([line({ account: 'other', state: 'idle', version: 1 })], 9_500);
    expect(lamps.of('main', '202')?.line.state).toBe('busy');
    expect(lamps.of('other', '202')?.line.state).toBe('idle');
    lamps.apply([line({ gone: true, version: 6 })], 10_000);
    expect(lamps.of('main', '202')).toBeUndefined();
  });

  const since = (told: readonly (readonly [Partial<LineView>, number])[]): number | null | undefined => {
    const lamps = new Lamps();
    for (const [version, [part, at]] of told.entries()) lamps.apply([line({ version, ...part })], at);
    return lamps.of('main', '202')?.seen.state;
  };
  const with_ = (number: string): Partial<LineView> => ({ state: 'busy', peer: { uri: `sip:${number}@x`, name: '', number } });

  it('count what he has set from when it was set, and each call for itself', () => {
    expect(since([[{}, 1], [{ do_not_disturb: true }, 50]])).toBe(50);
    expect(since([[{}, 1], [{ do_not_disturb: true }, 50], [{ do_not_disturb: true }, 90]])).toBe(50);
    expect(since([[{}, 1], [{ forwarded: '06' }, 50], [{ forwarded: '07' }, 90]])).toBe(90);
    const meeting: Partial<LineView> = { presence: { open: true, note: null, activities: ['meeting'] } };
    expect(since([[{}, 1], [meeting, 50], [{ presence: { open: true, note: 'tot drie', activities: ['meeting'] } }, 90]])).toBe(50);
    const calendar = (kind: 'free' | 'busy', free_ms: number): Partial<LineView> => ({ calendar: { kind, until_ms: 0, free_ms } });
    expect(since([[calendar('free', 1), 1], [calendar('busy', 2), 50], [calendar('busy', 3), 90]])).toBe(50);
    expect(since([[{}, 1], [with_('06'), 50], [with_('07'), 90]])).toBe(90);
    // The same call: who it is with is told later, and presence follows it.
    expect(since([[{}, 1], [{ state: 'busy' }, 50], [with_('06'), 60], [{ ...with_('06'), ...meeting }, 90]])).toBe(50);
    expect(since([[{ state: 'unknown' }, 1], [{ state: 'unknown', do_not_disturb: true }, 50]])).toBe(50);
  });
});
