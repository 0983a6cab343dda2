// Callers at the desk before and after a conversation: sent on unanswered, waiting while another one is on the line, parked and fetched.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import type { PeerView } from '../bindings';
import { IGNORE_MS } from '../features/incoming/guard';
import type { MockHost } from '../host/mock';
import { nl } from '../i18n/nl';
import { layout } from '../shared/layout.svelte';
import { peerName } from '../shared/names';
import { later, leave, open, press, sent, talk, tiles, type, violations } from './harness';
import Incoming from './Incoming.svelte';

afterEach(leave);

describe('a parked caller', () => {
  it('is fetched from the list of transfers once, and can be called back then', async () => {
    const host = await open();
    await talk(host);
    press('F8');
    const row = (): HTMLElement | null => document.querySelector('[data-transfer]');
    await waitFor(() => expect(row()?.textContent).toContain(nl.transfer.parked.waiting));
    const fetch = screen.getByRole('button', { name: /Haal .* terug uit parkeren/ });
    press('∫', { altKey: true, code: 'KeyB' });
    expect(sent(host, 'transfer.call_back')).toHaveLength(0);
    fetch.click();
    await waitFor(() => expect(row()?.textContent).toContain(nl.transfer.parked.retrieved));
    expect(screen.queryByRole('button', { name: /Haal .* terug uit parkeren/ })).toBeNull();
    press('∫', { altKey: true, code: 'KeyB' });
    expect(sent(host, 'transfer.call_back')).toEqual([{ cmd: 'transfer.call_back', transfer: host.view.transfers[0]?.id }]);
  });

  it('who is gone from his place is called back, not fetched', async () => {
    const host = await open();
    await talk(host);
    press('F8');
    await screen.findByRole('button', { name: /Haal .* terug uit parkeren/ });
    host.change({ transfers: host.view.transfers.map((one) => ({ ...one, parked: 'gone' })) });
    await screen.findByText(nl.transfer.parked.gone);
    expect(screen.queryByRole('button', { name: /Haal .* terug uit parkeren/ })).toBeNull();
    expect(document.querySelector('[data-transfer] button')?.textContent).toMatch(/Bel .* terug/);
  });
});

describe('the pop-up', () => {
  it('answers at once while nobody is on the line', async () => {
    const host = await open({}, Incoming);
    const call = host.ring();
    await screen.findByRole('button', { name: /Opnemen/ });
    await guarded(() => press('F2'), () => sent(host, 'call.answer').length > 0);
    expect(sent(host, 'call.answer')).toEqual([{ cmd: 'call.answer', call }]);
  });

  it('asks before it puts a conversation on hold', async () => {
    const host = await open({}, Incoming);
    const first = host.ring();
    host.change({ calls: host.view.calls.map((call) => (call.id === first ? { ...call, state: 'active', answered_ms: Date.now() } : call)) });
    const second = host.ring();
    await screen.findByRole('button', { name: /Opnemen/ });
    later(IGNORE_MS);
    await guarded(() => press('F2'), () => document.querySelector('[role="status"]')?.textContent?.includes('in de wacht') === true);
    expect(sent(host, 'call.answer')).toHaveLength(0);
    expect(await violations()).toEqual([]);
    later(IGNORE_MS);
    press('F2');
    await waitFor(() => expect(sent(host, 'call.answer')).toEqual([{ cmd: 'call.answer', call: second }]));
  });

  /** Presses until the pop-up takes keys: for its first moments it takes none, by the clock of the machine. */
  const guarded = (hit: () => void, done: () => boolean): Promise<void> =>
    waitFor(() => {
      if (!done()) hit();
      expect(done()).toBe(true);
    }, { timeout: 3_000, interval: IGNORE_MS / 4 });
});

describe('one of several who ring', () => {
  it('shows all that is known of him when he is chosen, beside him and in the panel', async () => {
    const host = await open();
    const calls = [host.ring(), host.ring(), host.ring()];
    await waitFor(() => expect(document.querySelectorAll('[data-ringing]')).toHaveLength(3));
    const brief = (): boolean[] => [...document.querySelectorAll('[data-ringing]')].map((card) => card.classList.contains('brief'));
    const panel = (): string => document.querySelector('[data-pane="caller"] .name, .name.pick')?.textContent ?? '';
    const nameOf = (id: number | undefined): string => {
      const peer = host.view.calls.find((call) => call.id === id)?.peer;
      return peer === undefined ? '?' : peerName(nl, peer);
    };
    expect(brief()).toEqual([false, true, true]);
    expect(panel()).toBe(nameOf(calls[0]));
    press('F3', { shiftKey: true });
    await waitFor(() => expect(brief()).toEqual([false, true, false]));
    expect(panel()).toBe(nameOf(calls[2]));
  });
});

describe('a caller who rings', () => {
  const sendOn = (): HTMLElement | null => document.querySelector('[data-act="cold"]');

  it('is sent on by key to the highlighted one, not by a press that was on its way', async () => {
    const host = await open();
    const call = await talk(host);
    const next = host.ring();
    type('bakk');
    await waitFor(() => screen.getByRole('option', { name: /Piet Bakker/, selected: true }));
    later(IGNORE_MS);
    // The one on the line hangs up while the key that sends him goes down.
    host.change({ calls: host.view.calls.map((one) => (one.id === call ? { ...one, state: 'ended', ended_ms: 0 } : one)) });
    await waitFor(() => expect(sendOn()).not.toBeNull());
    press('Enter', { ctrlKey: true });
    await screen.findByText(/Niet doorgestuurd/, { selector: '[role="status"]' });
    expect(sent(host, 'call.redirect')).toHaveLength(0);
    later(IGNORE_MS);
    press('Enter', { ctrlKey: true });
    await waitFor(() => expect(sent(host, 'call.redirect')).toEqual([{ cmd: 'call.redirect', call: next, to: '212' }]));
    await screen.findByText(/doorgestuurd naar Piet Bakker/, { selector: '[role="status"]' });
    expect(sent(host, 'call.transfer.blind')).toHaveLength(0);
  });

  it('is sent on by button; with two who ring, only the chosen one', async () => {
    const host = await open();
    host.ring();
    const second = host.ring();
    type('bakk');
    await waitFor(() => screen.getByRole('option', { name: /Piet Bakker/, selected: true }));
    expect(sendOn()).toBeNull();
    press('F3', { shiftKey: true });
    await waitFor(() => expect(sendOn()?.textContent).toContain(nl.transfer.redirect));
    sendOn()?.click();
    await waitFor(() => expect(sent(host, 'call.redirect')).toEqual([{ cmd: 'call.redirect', call: second, to: '212' }]));
  });
});

describe('whose number it is', () => {
  const KNOWN = [{ name: 'Jan de Wit', of: 'Garage de Wit' }, { name: 'Mia de Wit', of: '' }];
  const shown = (): (string | undefined)[] => [...document.querySelectorAll('[data-known]')].map((part) => part.textContent?.trim());
  const rings = (host: MockHost, part: Partial<PeerView>): void =>
    host.change({ calls: host.view.calls.map((call) => ({ ...call, peer: { ...call.peer, ...part } })) });

  it('stands with the ringing call and in the panel: nobody, one with his company, or how many', async () => {
    const host = await open();
    host.ring();
    await screen.findByRole('button', { name: /Opnemen/ });
    expect(shown()).toEqual([]);
    rings(host, { known: [{ name: 'Jan de Wit', of: 'Garage de Wit' }] });
    await waitFor(() => expect(shown()).toEqual(['Garage de Wit', 'Garage de Wit']));
    rings(host, { known: KNOWN, known_more: 1 });
    await waitFor(() => expect(shown()[0]).toBe('3 contacten hebben dit nummer: Jan de Wit, Garage de Wit; Mia de Wit; en nog 1'));
    expect(screen.getByRole('heading', { name: '3 contacten hebben dit nummer' })).toBeTruthy();
    expect(await violations()).toEqual([]);
  });

  it('stands in the pop-up', async () => {
    const host = await open({}, Incoming);
    host.ring();
    await screen.findByRole('button', { name: /Opnemen/ });
    rings(host, { known: KNOWN });
    await waitFor(() => expect(shown()).toEqual(['2 contacten hebben dit nummer: Jan de Wit, Garage de Wit; Mia de Wit']));
  });
});

describe('two companies with the same extension', () => {
  it('are two results, each with its own lamp, star and account', async () => {
    const host = await open();
    const [main] = host.view.accounts;
    const here = host.view.colleagues.find((one) => one.number === '212');
    if (main === undefined || here === undefined) throw new Error('no account');
    const there = { name: 'Piet Ander', number: '212', department: 'Slagerij', mobile: '', account: 'other', watch: true };
    host.change({ accounts: [main, { ...main, id: 'other' }], colleagues: [...host.view.colleagues, there] });
    host.tell([
      { uri: 'sip:212@a', account: here.account, name: '', state: 'idle', version: 9, gone: false },
      { uri: 'sip:212@b', account: 'other', name: '', state: 'busy', version: 9, gone: false },
    ]);
    layout.favour(here.account, '212');
    type('212');
    await waitFor(() => expect(tiles()).toHaveLength(2));
    const both = (): Element[] => [/Piet Bakker/, /Piet Ander/].map((name) => screen.getByRole('option', { name }));
    expect(both().map((tile) => tile.textContent?.includes(nl.lamp.states.busy))).toEqual([false, true]);
    expect(both().map((tile) => tile.textContent?.includes(nl.search.favourite))).toEqual([true, false]);
    screen.getByRole('option', { name: /Piet Ander/ }).click();
    await waitFor(() => screen.getByRole('option', { name: /Piet Ander/, selected: true }));
    press('Enter');
    await waitFor(() => expect(sent(host, 'call.dial')).toEqual([{ cmd: 'call.dial', to: '212', account: 'other' }]));
  });
});
