// Who goes before others is marked by shape and word, and the keys answer the longest waiting all the same.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import { nl } from '../../i18n/nl';
import { later, leave, open, press, sent, violations } from '../../views/harness';
import Incoming from '../../views/Incoming.svelte';
import { IGNORE_MS } from './guard';

afterEach(leave);

it('marks a caller by his queue and a known one, in the order of waiting', async () => {
  const host = await open();
  const [plain, known, first] = [host.ring(), host.ring(), host.ring()];
  const { calls } = host.view;
  const from = calls.find((one) => one.id === first);
  host.change({
    calls: calls.map((one) => (one.id === known ? { ...one, vip: true } : one.id === first ? { ...one, queue: { ...QUEUE, priority: 'highest' } } : one)),
  });
  expect(from).toBeDefined();
  await waitFor(() => expect(document.querySelectorAll('[data-priority]')).toHaveLength(2));
  const shown = [...document.querySelectorAll('[data-ringing]')].map((one) => one.querySelector('[data-priority]')?.getAttribute('data-priority') ?? null);
  expect(shown).toEqual([null, 'vip', 'queue']);
  expect(document.querySelector('[data-priority="vip"]')?.textContent).toBe(nl.calls.vip);
  expect(document.querySelector('[data-priority="queue"]')?.textContent).toBe(nl.queue.priorities.highest);
  expect(document.querySelectorAll('[data-priority] svg')).toHaveLength(2);
  expect(await violations()).toEqual([]);
  later(IGNORE_MS);
  press('F2');
  expect(sent(host, 'call.answer')).toEqual([{ cmd: 'call.answer', call: plain }]);
});

it('is answered before others by the second key once it is chosen', async () => {
  const host = await open();
  const ids = [host.ring(), host.ring(), host.ring()];
  host.change({ calls: host.view.calls.map((one) => (one.id === ids[2] ? { ...one, vip: true } : one)) });
  await waitFor(() => expect(document.querySelectorAll('[data-ringing]')).toHaveLength(3));
  later(IGNORE_MS);
  press('F3', { shiftKey: true });
  await waitFor(() => expect(document.querySelector('[data-ringing="other"] [data-priority="vip"]')).not.toBeNull());
  press('F3');
  expect(sent(host, 'call.answer')).toEqual([{ cmd: 'call.answer', call: ids[2] }]);
});

it('is marked in the pop-up too', async () => {
  const host = await open({}, Incoming);
  const id = host.ring();
  host.change({ calls: host.view.calls.map((one) => (one.id === id ? { ...one, vip: true } : one)) });
  await screen.findByText(nl.calls.vip);
  expect(document.querySelector('[data-priority="vip"]')).not.toBeNull();
});

const QUEUE = { queue: 'verkoop', name: 'Verkoop', waited: 48, priority: null, digits: null, monitored: false, may_escalate: false, codes: [], disposition: null };
