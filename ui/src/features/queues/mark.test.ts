// A queue's tile says where its callers go before it says how many wait, and never by colour alone.

import { expect, it } from 'vitest';
import type { QueueView } from '../../bindings';
import { nl } from '../../i18n/nl';
import { queueLamp } from './mark';

const queue = (part: Partial<QueueView> = {}): QueueView => ({
  account: 'main', queue: 'verkoop', name: 'Verkoop', number: '650', supervised: false, joined: null, known: true, entries: [], longest_since_ms: null,
  measures: [], severity: 'normal', thresholds: [], night: null, night_choice: null, holiday: null, forwarded_to: null, agents: [], version: 1,
  stale_since_ms: null, gone: false, ...part,
});
const lamp = (part: Partial<QueueView>): ReturnType<typeof queueLamp> => queueLamp(nl, queue(part), 100_000);

it('shows forwarding, night and holidays before the callers', () => {
  const waits: Partial<QueueView> = { measures: [{ measure: 'waiting', value: 3, severity: 'red' }], severity: 'red', longest_since_ms: 20_000 };
  expect(lamp({ ...waits, night: true, forwarded_to: '0612345678' })).toMatchObject({ icon: 'forward', tone: 'forward', words: nl.queue.forwarded('0612345678') });
  expect(lamp({ ...waits, night: true })).toMatchObject({ icon: 'night', tone: 'night', words: nl.night.on });
  expect(lamp({ ...waits, holiday: true })).toMatchObject({ icon: 'night', words: nl.queue.holiday });
  expect(lamp(waits)).toMatchObject({ icon: 'queue', tone: 'busy', words: `${nl.queue.waitingNow(3, '1:20')} · ${nl.queue.severity.red}` });
});

it('is calm while nobody waits, and unsure when it may be wrong', () => {
  expect(lamp({ measures: [{ measure: 'waiting', value: 0, severity: 'normal' }] })).toMatchObject({ icon: 'free', tone: 'free', words: nl.queue.nobody });
  expect(lamp({ known: false })).toMatchObject({ tone: 'free', words: nl.queue.name });
  expect(lamp({ night: true, stale_since_ms: 60_000 })).toMatchObject({ icon: 'unsure', tone: 'unsure' });
});
