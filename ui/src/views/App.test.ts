// The whole page on the scripted program: by keyboard, as a receptionist works.

import { screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import type { TransferEntry } from '../bindings';
import type { MockHost } from '../host/mock';
import { nl } from '../i18n/nl';
import { layout } from '../shared/layout.svelte';
import { IGNORE_MS } from '../features/incoming/guard';
import { later, leave, open, press, sent, tiles, type, violations } from './harness';

afterEach(leave);

describe('desk', () => {
  it('dials the highlighted colleague, or the typed number, with Enter', async () => {
    const host = await open();
    type('bakk');
    await waitFor(() => screen.getByRole('option', { name: /Piet Bakker/, selected: true }));
    press('Enter');
    await waitFor(() => expect(sent(host, 'call.dial')).toEqual([{ cmd: 'call.dial', to: '212' }]));
    type('0612345678');
    press('Enter');
    await waitFor(() => expect(sent(host, 'call.dial')[1]).toEqual({ cmd: 'call.dial', to: '0612345678' }));
  });

  it('answers the longest waiting with F2, holds with F6, swaps, and hangs up with F12', async () => {
    const host = await open();
    const first = host.ring();
    const second = host.ring();
    await waitFor(() => expect(screen.getAllByRole('button', { name: /Opnemen/ })).toHaveLength(2));
    press('F2');
    await waitFor(() => expect(sent(host, 'call.answer')).toEqual([{ cmd: 'call.answer', call: first }]));
    // The second one has only just come to the first place: a hasty press is not meant for him.
    await waitFor(() => expect(document.querySelectorAll('[data-ringing]')).toHaveLength(1));
    press('F2');
    expect(sent(host, 'call.answer')).toHaveLength(1);
    await waitFor(() => expect(screen.getByText(/Druk nog eens om op te nemen/, { selector: '[role="status"]' })).toBeTruthy());
    later(IGNORE_MS);
    press('F2');
    await waitFor(() => expect(screen.getByRole('button', { name: /Wissel/ })).toBeTruthy());
    expect(sent(host, 'call.answer')[1]).toEqual({ cmd: 'call.answer', call: second });
    press('F6', { shiftKey: true });
    await waitFor(() => expect(sent(host, 'call.resume')).toEqual([{ cmd: 'call.resume', call: first }]));
    press('F12');
    await waitFor(() => expect(sent(host, 'call.hangup')).toEqual([{ cmd: 'call.hangup', call: first }]));
    // Nobody is in conversation now: F12 must not touch the caller on hold.
    await waitFor(() => expect(screen.queryByRole('button', { name: /Dempen/ })).toBeNull());
    press('F12');
    expect(sent(host, 'call.hangup')).toHaveLength(1);
  });

  it('says of a call that was declined or stopped here that nobody else did it', async () => {
    const host = await open();
    const end = (reason: 'cancelled' | 'declined' | 'busy_here', status: number | null): void =>
      host.change({ calls: host.view.calls.map((call) => ({ ...call, state: 'ended', reason, status })) });
    host.ring();
    await screen.findByRole('button', { name: /Opnemen/ });
    end('declined', 486);
    await screen.findByText('U hebt geweigerd', { selector: '.over span' });
    await screen.findByText('De beller staat in de lijst met gesprekken.', { selector: '.over small' });
    type('0612345678');
    press('Enter');
    await waitFor(() => expect(document.querySelector('[data-call-state="ringing"]')).not.toBeNull());
    end('cancelled', null);
    await screen.findByText('U bent gestopt met bellen', { selector: '.over span' });
    expect(screen.getAllByText(/./, { selector: '.over small' })).toHaveLength(1);
    // What the other side does is still said of the other side.
    end('busy_here', 486);
    await screen.findByText('In gesprek (486)', { selector: '.over span' });
  });

  it('answers another one than the longest with F3, chosen with ⇧ F3', async () => {
    const host = await open();
    const calls = [host.ring(), host.ring(), host.ring()];
    await waitFor(() => expect(screen.getAllByRole('button', { name: /Opnemen/ })).toHaveLength(3));
    later(IGNORE_MS);
    press('F3', { shiftKey: true });
    await waitFor(() => expect(document.querySelectorAll('[data-ringing]')[2]?.getAttribute('data-ringing')).toBe('other'));
    press('F3');
    expect(sent(host, 'call.answer')).toEqual([{ cmd: 'call.answer', call: calls[2] }]);
  });

  it('says which number is seen before dialling, and withholds it for one call', async () => {
    const host = await open({ link: 'live' });
    await waitFor(() => expect(document.querySelector('[data-presents]')?.textContent).toMatch(/De ander ziet 088 765 40 00/));
    press('©', { altKey: true, code: 'KeyG' });
    await waitFor(() => expect(document.querySelector<HTMLElement>('[data-presents]')?.dataset.presents).toBe(''));
    type('0612345678');
    press('Enter');
    await waitFor(() => expect(sent(host, 'call.dial')).toEqual([{ cmd: 'call.dial', to: '0612345678', withhold: true }]));
    await waitFor(() => expect(document.querySelector<HTMLElement>('[data-presents]')?.dataset.presents).toBe('088 765 40 00'));
  });

  it('dials 112 at once, and says that nobody knows from where', async () => {
    const host = await open();
    type('112');
    await screen.findByText(nl.help.heading);
    press('Enter');
    await waitFor(() => expect(sent(host, 'call.dial')).toEqual([{ cmd: 'call.dial', to: '112' }]));
  });

  it('sends typed digits only while the keypad is open', async () => {
    const host = await open();
    const id = host.ring();
    await waitFor(() => screen.getByRole('button', { name: /Opnemen/ }));
    press('F2');
    await waitFor(() => screen.getByRole('button', { name: /Kiestoetsen/ }));
    press('5');
    expect(sent(host, 'call.dtmf')).toHaveLength(0);
    press('F5');
    await waitFor(() => screen.getByRole('group', { name: 'Kiestoetsen' }));
    press('5');
    press('#', { shiftKey: true });
    expect(sent(host, 'call.dtmf')).toEqual([
      { cmd: 'call.dtmf', call: id, digits: '5' },
      { cmd: 'call.dtmf', call: id, digits: '#' },
    ]);
    press('Escape');
    await waitFor(() => expect(screen.queryByRole('group', { name: 'Kiestoetsen' })).toBeNull());
  });

  it('does not quit during a call', async () => {
    const host = await open();
    host.ring();
    await waitFor(() => screen.getByRole('button', { name: /Opnemen/ }));
    press('q', { ctrlKey: true });
    expect(sent(host, 'quit')).toHaveLength(0);
    await waitFor(() => expect(screen.getByText('Er is nog een gesprek; Balie blijft open', { selector: '[role="status"]' })).toBeTruthy());
  });

  it('announces a caller to screen readers', async () => {
    const host = await open();
    host.ring();
    await waitFor(() => expect(screen.getByRole('alert').textContent).toMatch(/Inkomend gesprek van/));
  });

  it('shows a refusal in words', async () => {
    await open();
    type('wie?');
    press('Enter');
    await waitFor(() => expect(screen.getByText(/Dit is geen nummer of adres/)).toBeTruthy());
  });

  it('says in a band that nobody can reach the user, why and when it tries again', async () => {
    const host = await open({ lost: true });
    const band = screen.getByRole('region', { name: /kunnen u niet bereiken/ });
    expect(band.textContent).toMatch(/De server antwoordt niet/);
    expect(band.textContent).toMatch(/Nieuwe poging over \d+ s/);
    within(band).getByRole('button', { name: 'Nu proberen' }).click();
    await waitFor(() => expect(screen.queryByRole('region', { name: /kunnen u niet bereiken/ })).toBeNull());
    expect(sent(host, 'account.register')).toHaveLength(1);
  });

  it('says in the call itself that its sound or its exchange is gone', async () => {
    const host = await open();
    host.ring();
    await waitFor(() => screen.getByRole('button', { name: /Opnemen/ }));
    press('F2');
    await waitFor(() => screen.getByRole('button', { name: /Ophangen/ }));
    const { calls } = await host.control({ cmd: 'view.get' });
    const trouble = (): string => document.querySelector('article.call .trouble')?.textContent ?? '';
    expect(trouble()).toBe('');
    host.change({ calls: calls.map((call) => ({ ...call, no_sound: true })) });
    await waitFor(() => expect(trouble()).toContain(nl.calls.noSound.todo));
    host.change({ calls: calls.map((call) => ({ ...call, no_sound: true, reason: 'connection_lost' })) });
    await waitFor(() => expect(trouble()).toContain(nl.codes.connection_lost.what));
  });

  it('says in the call itself why its sound is bad, and how long sound takes', async () => {
    const host = await open();
    host.ring();
    await waitFor(() => screen.getByRole('button', { name: /Opnemen/ }));
    press('F2');
    await waitFor(() => screen.getByRole('button', { name: /Ophangen/ }));
    const { calls } = await host.control({ cmd: 'view.get' });
    const trouble = (): string => document.querySelector('article.call .trouble')?.textContent ?? '';
    host.change({ calls: calls.map((call) => ({ ...call, quality: 'poor', quality_cause: 'network_out', delay: { rx_ms: 90, tx_ms: null } })) });
    await waitFor(() => expect(trouble()).toContain(nl.calls.badSound.network_out.what));
    expect(screen.getByRole('img', { name: 'Geluid: slecht; de ander is na 90 ms te horen' })).toBeTruthy();
    host.change({ calls: calls.map((call) => ({ ...call, quality: 'good', quality_cause: null })) });
    await waitFor(() => expect(trouble()).toBe(''));
    expect(screen.getByRole('img', { name: 'Geluid: goed' })).toBeTruthy();
  });

  it('shows a notice with what the system said, until it is dismissed', async () => {
    await open({ notices: ['bad_config'] });
    const line = document.querySelector('[data-code="bad_config"]');
    expect(line?.textContent).toContain(nl.codes.bad_config.todo);
    expect(line?.querySelector('[lang="en"]')?.textContent).toBe('what the system said');
    screen.getByRole('button', { name: new RegExp(nl.codes.bad_config.what) }).click();
    await waitFor(() => expect(document.querySelector('[data-code="bad_config"]')).toBeNull());
  });

  it('leads from the badge of missed calls to the first one to call back', async () => {
    const host = await open();
    layout.fold('history');
    (await screen.findByRole('button', { name: /^Gemist 1/ })).click();
    const back = await screen.findByRole('button', { name: 'Bel Garage Jansen terug' });
    await waitFor(() => expect(document.activeElement).toBe(back));
    expect(document.querySelectorAll('[data-outcome]')).toHaveLength(1);
    expect(sent(host, 'history.seen')).toHaveLength(0);
    screen.getByRole('button', { name: 'Gezien' }).click();
    expect(sent(host, 'history.seen')).toHaveLength(1);
  });

  it('tells apart by word what colour tells apart', async () => {
    await open();
    const missed = document.querySelector('[data-outcome="missed"]');
    expect(missed?.textContent).toContain('Gemist');
  });
});

describe('colleagues', () => {
  it('show what the exchange says of their lines, in words', async () => {
    await open();
    const tom = await screen.findByRole('option', { name: /Tom de Boer.*Met 06 1122 3344/ });
    expect(tom.querySelector('svg')?.dataset.icon).toBe('busy');
    expect(screen.getByRole('option', { name: /Sanne Visser.*Vrij/ }).querySelector('svg')?.dataset.icon).toBe('free');
  });

  it('are drawn only as far as they are on screen, however many there are', async () => {
    await open({ people: 1000 });
    await waitFor(() => expect(tiles().length).toBeGreaterThan(20));
    expect(tiles().length).toBeLessThan(120);
    expect(tiles()[0]?.getAttribute('aria-setsize')).toBe('1006');
    await waitFor(() => expect(document.querySelector('.title')?.parentElement?.parentElement?.textContent).toMatch(/\d+ vrij van \d+/));
  });

  it('can be favourites, filtered, and listed in another order, remembered for the role', async () => {
    await open();
    type('bakk');
    await screen.findByRole('option', { name: /Piet Bakker/, selected: true });
    (await screen.findByRole('button', { name: 'Favoriet' })).click();
    press('Escape');
    (await screen.findByRole('button', { name: /^Favorieten 1/ })).click();
    await waitFor(() => expect(tiles()).toHaveLength(1));
    layout.changeOwn({ mode: 'list', sort: 'free' });
    layout.change({ role: 'employee' });
    expect(layout.own.sort).toBe('name');
    layout.change({ role: 'receptionist' });
    expect(layout.own).toMatchObject({ mode: 'list', sort: 'free' });
  });

  it('are put into groups, filtered by state, and in an own order by drag or by key', async () => {
    await open();
    type('bakk');
    await screen.findByRole('option', { name: /Piet Bakker/, selected: true });
    const field = await screen.findByLabelText<HTMLInputElement>(nl.groups.fresh);
    field.value = 'BHV';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.form?.requestSubmit();
    (screen.getByRole('combobox', { name: /Zoek/ })).focus();
    press('Escape');
    (await screen.findByRole('button', { name: /^BHV 1/ })).click();
    await waitFor(() => expect(tiles().map((tile) => tile.textContent)).toEqual([expect.stringContaining('Piet Bakker')]));
    layout.toggleIn('BHV', 'main 212');
    await waitFor(() => expect(screen.getByRole('button', { name: /^Alle/, pressed: true })).toBeTruthy());

    layout.changeOwn({ only: 'ringing' });
    await waitFor(() => expect(tiles().length).toBeGreaterThan(0));
    await waitFor(() => expect(tiles().every((tile) => tile.querySelector('svg')?.dataset.icon === 'ringing')).toBe(true));
    layout.changeOwn({ only: 'all', sort: 'own' });
    const names = (): string[] => tiles().map((tile) => tile.querySelector('.name')?.textContent ?? '').filter((name) => /Karin|Joris/.test(name));
    await waitFor(() => expect(names()).toEqual(['Joris Hendriks', 'Karin Smit']));
    screen.getByRole('option', { name: /Joris Hendriks/ }).click();
    press('ArrowRight', { altKey: true });
    await waitFor(() => expect(names()).toEqual(['Karin Smit', 'Joris Hendriks']));
    await waitFor(() => expect(screen.getByText(/Joris Hendriks staat nu op plaats/, { selector: '[role="status"]' })).toBeTruthy());
  });

  it('show the chosen one at the right, and his line', async () => {
    await open();
    type('tom de');
    await screen.findByRole('option', { name: /Tom de Boer/, selected: true });
    const pane = screen.getByRole('region', { name: 'Gekozen' });
    await waitFor(() => expect(pane.textContent).toMatch(/Tom de Boer.*202.*Verkoop.*Met 06 1122 3344/));
  });
});

describe('transfers', () => {
  async function inConversation(): Promise<{ host: MockHost; caller: number }> {
    const host = await open({ pace: 200 });
    const caller = host.ring();
    await screen.findByRole('button', { name: /Opnemen/ });
    press('F2');
    await screen.findByRole('button', { name: /Kiestoetsen/ });
    return { host, caller };
  }
  async function choose(name: string): Promise<void> {
    type(name);
    await screen.findByRole('option', { name: new RegExp(name, 'i'), selected: true });
  }

  it('are warm with Enter and Enter, and the last ones are listed', async () => {
    const { host, caller } = await inConversation();
    await choose('Eva Mulder');
    press('Enter');
    await waitFor(() => expect(sent(host, 'call.transfer.consult')).toEqual([{ cmd: 'call.transfer.consult', call: caller, to: '203' }]));
    const card = await screen.findByRole('article', { name: /doorverbinden met Eva Mulder/ });
    await waitFor(() => expect(card.dataset.flow).toBe('consulting'));
    expect(card.textContent).toMatch(/U spreekt Eva Mulder, 0:0\d; 06 2233 4455 wacht met muziek/);
    expect(document.querySelector('article.held')).toBeNull();
    press('Enter');
    await waitFor(() => expect(sent(host, 'call.transfer.complete')).toEqual([{ cmd: 'call.transfer.complete', call: caller }]));
    const past = await waitFor(() => document.querySelector('[data-transfer="done"]') ?? Promise.reject(new Error('not listed')));
    expect(past.textContent).toMatch(/06 2233 4455.*Eva Mulder.*aangenomen/);
    screen.getAllByRole('button', { name: /Bel 06 2233 4455 terug/ })[0]?.click();
    expect(sent(host, 'transfer.call_back')).toEqual([{ cmd: 'transfer.call_back', transfer: 1 }]);
  });

  it('do not complete with somebody else highlighted, swap with F6, and go back with Esc', async () => {
    const { host, caller } = await inConversation();
    await choose('Eva Mulder');
    press('Enter');
    const card = await screen.findByRole('article', { name: /doorverbinden met Eva Mulder/ });
    await waitFor(() => expect(card.dataset.flow).toBe('consulting'));
    await choose('Tom de Boer');
    press('Enter');
    press('Enter', { ctrlKey: true });
    await waitFor(() => expect(screen.getByText(/U hebt ruggespraak met Eva Mulder/, { selector: '[role="status"]' })).toBeTruthy());
    expect(sent(host, 'call.transfer.complete')).toHaveLength(0);
    expect(sent(host, 'call.transfer.blind')).toHaveLength(0);
    press('F6');
    await waitFor(() => expect(card.dataset.flow).toBe('with_caller'));
    press('Escape');
    await waitFor(() => expect(sent(host, 'call.transfer.cancel')).toEqual([{ cmd: 'call.transfer.cancel', call: caller }]));
    await waitFor(() => expect(screen.queryByRole('article', { name: /doorverbinden met/ })).toBeNull());
  });

  it('are cold with Ctrl+Enter; F12 then loses nobody, and a failed one waits here with the reason', async () => {
    const { host, caller } = await inConversation();
    type('604');
    await screen.findByRole('option', { name: /604/, selected: true });
    press('Enter', { ctrlKey: true });
    await waitFor(() => expect(sent(host, 'call.transfer.blind')).toEqual([{ cmd: 'call.transfer.blind', call: caller, to: '604' }]));
    await screen.findByRole('article', { name: /doorverbinden met 604/ });
    press('F12');
    expect(sent(host, 'call.hangup')).toHaveLength(0);
    await waitFor(() => expect(screen.getByText(/De beller wacht bij u/, { selector: '.failed span' })).toBeTruthy());
    expect(document.querySelector('.failed')?.textContent).toMatch(/Niet verbonden met 604.*Geen gehoor/);
    press('Escape');
    await waitFor(() => expect(sent(host, 'call.transfer.cancel')).toEqual([{ cmd: 'call.transfer.cancel', call: caller }]));
  });

  it('park with F8 and fetch again, bring together with F9, pick up with F7', async () => {
    const { host, caller } = await inConversation();
    press('F8');
    await waitFor(() => expect(sent(host, 'call.park')).toEqual([{ cmd: 'call.park', call: caller }]));
    (await screen.findByRole('button', { name: /Haal 06 2233 4455 terug uit parkeren/ })).click();
    expect(sent(host, 'call.retrieve')).toEqual([{ cmd: 'call.retrieve', account: 'main', slot: '701' }]);
    const second = host.ring();
    await screen.findByRole('button', { name: /Opnemen/ });
    later(IGNORE_MS);
    // Somebody is on the line: one press asks, another one answers.
    press('F2');
    expect(sent(host, 'call.answer')).toHaveLength(1);
    await screen.findByText(nl.calls.callWaiting('033 455 12 90').slice(-40), { exact: false, selector: '[role="status"]' });
    later(IGNORE_MS);
    press('F2');
    await screen.findByRole('button', { name: /Samen/ });
    press('F9');
    await waitFor(() => expect(sent(host, 'call.conference')).toMatchObject([{ calls: [second, second - 1] }]));
    await waitFor(() => expect(screen.getAllByText(nl.transfer.inConference).length).toBe(2));
    press('F7');
    expect(sent(host, 'call.pickup')).toHaveLength(0);
    await choose('Fatima');
    press('F7');
    expect(sent(host, 'call.pickup')).toEqual([{ cmd: 'call.pickup', target: '205' }]);
  });

  it('that lost somebody stand out until he is called back', async () => {
    const host = await open();
    const peer = { uri: '', name: 'Garage Jansen', number: '0318 50 11 22' };
    host.change({
      transfers: [{
        id: 9, call: 3, account: 'main', at_ms: Date.now(), caller: peer, to: { uri: '', name: '', number: '604' }, kind: 'cold',
        state: 'failed', reason: 'no_answer', status: 480, lost: true, call_back: peer.number,
      }],
    });
    await waitFor(() => expect(document.querySelector('[data-transfer="lost"]')?.textContent).toMatch(/Garage Jansen.*604.*Geen gehoor, bel terug: de beller is weg/));
    document.querySelector<HTMLElement>('[data-transfer="lost"] button')?.click();
    expect(sent(host, 'transfer.call_back')).toEqual([{ cmd: 'transfer.call_back', transfer: 9 }]);
  });

  it('go to a pinned target by its number, warm or direct', async () => {
    const { host, caller } = await inConversation();
    await choose('Eva Mulder');
    (await screen.findByRole('button', { name: 'Vast doel' })).click();
    press('Escape');
    await screen.findByRole('button', { name: /Eva Mulder\s*, Vrij/ });
    press('!', { ctrlKey: true, shiftKey: true, code: 'Digit1' });
    await waitFor(() => expect(sent(host, 'call.transfer.consult')).toEqual([{ cmd: 'call.transfer.consult', call: caller, to: '203' }]));
    await waitFor(() => expect(document.querySelector<HTMLElement>('[data-flow]')?.dataset.flow).toBe('consulting'));
    press('!', { ctrlKey: true, shiftKey: true, code: 'Digit1' });
    await waitFor(() => expect(sent(host, 'call.transfer.complete')).toEqual([{ cmd: 'call.transfer.complete', call: caller }]));
    const next = host.ring();
    await screen.findByRole('button', { name: /Opnemen/ });
    later(IGNORE_MS);
    press('F2');
    await screen.findByRole('button', { name: /Kiestoetsen/ });
    press('F1', { ctrlKey: true });
    await waitFor(() => expect(sent(host, 'call.transfer.blind')).toEqual([{ cmd: 'call.transfer.blind', call: next, to: '203' }]));
    press('F9', { ctrlKey: true });
    await waitFor(() => expect(screen.getByText(nl.pins.none(9), { selector: '[role="status"]' })).toBeTruthy());
  });

  it('go by dragging the caller to somebody, or somebody to the caller', async () => {
    const { host, caller } = await inConversation();
    let under: Element | null = null;
    document.elementFromPoint = () => under;
    const pointer = (target: EventTarget, name: string, x: number, more: MouseEventInit = {}): void => {
      const event = new MouseEvent(name, { bubbles: true, cancelable: true, clientX: x, clientY: 5, ...more });
      Object.defineProperty(event, 'isPrimary', { value: true });
      target.dispatchEvent(event);
    };
    const eva = await screen.findByRole('option', { name: /Eva Mulder/ });
    const head = document.querySelector('article.call .who') as Element;
    // A press that does not move is none.
    pointer(head, 'pointerdown', 5);
    under = eva;
    pointer(window, 'pointerup', 7);
    expect(sent(host, 'call.transfer.consult')).toHaveLength(0);
    pointer(eva, 'pointerdown', 5);
    under = head;
    pointer(window, 'pointermove', 60, { ctrlKey: true });
    await waitFor(() => expect(document.querySelector('.ghost')?.textContent).toMatch(/Eva Mulder: direct doorverbinden/));
    pointer(window, 'pointermove', 61);
    await waitFor(() => expect(document.querySelector('.ghost')?.textContent).toMatch(/ruggespraak/));
    pointer(window, 'pointerup', 61);
    await waitFor(() => expect(sent(host, 'call.transfer.consult')).toEqual([{ cmd: 'call.transfer.consult', call: caller, to: '203' }]));
    expect(document.querySelector('.ghost')).toBeNull();
  });

  it('of which the last lost caller is called back by one key, and of which all twenty can be seen', async () => {
    const host = await open();
    const entry = (id: number, lost: boolean): TransferEntry => ({
      id, call: id, account: 'main', at_ms: Date.now(), caller: { uri: '', name: `K${id}`, number: `06${id}` }, to: { uri: '', name: '', number: '604' },
      kind: 'cold', state: lost ? 'failed' : 'done', reason: lost ? 'no_answer' : null, status: null, lost, call_back: `06${id}`,
    });
    host.change({ transfers: Array.from({ length: 20 }, (_, place) => entry(40 - place, place === 7)) });
    // The newest few, and the one who is lost.
    await waitFor(() => expect(document.querySelectorAll('[data-transfer]')).toHaveLength(5));
    screen.getByRole('button', { name: nl.transfer.all(20) }).click();
    await waitFor(() => expect(document.querySelectorAll('[data-transfer]')).toHaveLength(20));
    press('∫', { altKey: true, code: 'KeyB' });
    expect(sent(host, 'transfer.call_back')).toEqual([{ cmd: 'transfer.call_back', transfer: 33 }]);
  });

  it('leave dialling anew to Alt+Enter', async () => {
    const { host } = await inConversation();
    await choose('Eva Mulder');
    press('Enter', { altKey: true });
    await waitFor(() => expect(sent(host, 'call.dial')).toEqual([{ cmd: 'call.dial', to: '203' }]));
    expect(sent(host, 'call.transfer.consult')).toHaveLength(0);
  });
});

describe('layout', () => {
  it('is chosen in one place and folds by pane', async () => {
    await open();
    screen.getByRole('button', { name: 'Weergave' }).click();
    (await screen.findByRole('radio', { name: 'Agent' })).click();
    await waitFor(() => expect(layout.role).toBe('agent'));
    // An agent's sound is folded at first.
    await waitFor(() => expect(screen.queryByLabelText('Microfoon')).toBeNull());
    screen.getByRole('button', { name: 'Geluid' }).click();
    await waitFor(() => expect(screen.getByLabelText('Microfoon')).toBeTruthy());
    press('Escape');
    await waitFor(() => expect(screen.queryByRole('radio', { name: 'Agent' })).toBeNull());
  });

  it('writes larger and with more contrast', async () => {
    await open();
    layout.change({ text: 200, contrast: 'high' });
    await waitFor(() => expect(document.documentElement.style.fontSize).toBe('200%'));
    expect(document.documentElement.dataset.contrast).toBe('high');
  });
});

describe('set-up', () => {
  it('starts the demo with one click', async () => {
    const host = await open({ setup: true });
    screen.getByRole('button', { name: 'Start de demo' }).click();
    await waitFor(() => screen.getByRole('combobox', { name: /Zoek/ }));
    expect(sent(host, 'demo.start')).toHaveLength(1);
  });

  it('says what is missing, tests in words, and keeps the password out of the page', async () => {
    const host = await open({ setup: true });
    screen.getByRole('button', { name: 'Zelf invullen' }).click();
    await waitFor(() => screen.getByLabelText('Wachtwoord'));
    screen.getByRole('button', { name: 'Test het account' }).click();
    await waitFor(() => expect(screen.getAllByText('Dit veld is nodig')).toHaveLength(2));
    for (const [label, text] of [['SIP-adres of gebruiker', '101'], ['Wachtwoord', 'geheim-1234'], ['Server', 'nergens']] as const) {
      const input = screen.getByLabelText<HTMLInputElement>(new RegExp(`^${label}`));
      input.value = text;
      input.dispatchEvent(new Event('input', { bubbles: true }));
    }
    screen.getByRole('button', { name: 'Test het account' }).click();
    await waitFor(() => expect(screen.getByText(/Server gevonden: mislukt/)).toBeTruthy());
    expect(screen.getByText(/De naam van de server is niet te vinden/)).toBeTruthy();
    expect(sent(host, 'account.test')).toHaveLength(1);
    expect(document.body.innerHTML).not.toContain('geheim-1234');
  });
});

describe('accessibility', () => {
  it.each([['desk', {}], ['set-up', { setup: true }], ['lost', { lost: true }]] as const)('%s', async (_, scene) => {
    const host = await open(scene);
    if (!('setup' in scene)) host.ring();
    expect(await violations()).toEqual([]);
  });
});

describe('keys', () => {
  const row = (name: string): HTMLButtonElement => document.querySelector<HTMLButtonElement>(`[data-key="${name}"] > button`) ?? document.createElement('button');

  it('open with a question mark where nothing is being written', async () => {
    await open();
    type('wie');
    press('?', { shiftKey: true });
    expect(screen.queryByRole('dialog')).toBeNull();
    type('');
    press('?', { shiftKey: true });
    await screen.findByRole('dialog', { name: 'Toetsen' });
    expect(await violations()).toEqual([]);
  });

  it('are changed by pressing another one; one that something else has is explained and asked about', async () => {
    const host = await open();
    press('F1');
    await screen.findByRole('dialog');
    row('answer').click();
    await screen.findByText(nl.keys.press);
    row('answer').focus();
    press('a');
    await screen.findByText(new RegExp(nl.keys.objections.typed.slice(0, 20)));
    // While a new key is asked for, keys do nothing else.
    const call = host.ring();
    press('F4');
    await screen.findByText(/F4 is nu van: Microfoon dempen/);
    expect(sent(host, 'call.mute')).toHaveLength(0);
    document.querySelector<HTMLButtonElement>('[data-key="answer"] [data-act="take"]')?.click();
    await waitFor(() => expect(row('mute').textContent).toContain(nl.keys.noKey));
    press('Escape');
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await waitFor(() => expect(screen.getByRole('button', { name: /Opnemen/ }).getAttribute('aria-keyshortcuts')).toBe('F4'));
    press('F2');
    expect(sent(host, 'call.answer')).toHaveLength(0);
    press('F4');
    expect(sent(host, 'call.answer')).toEqual([{ cmd: 'call.answer', call }]);
  });

  it('come from another console, and from a text that is right', async () => {
    await open();
    press('F1');
    await screen.findByRole('dialog');
    const preset = screen.getByLabelText<HTMLSelectElement>(nl.keys.preset);
    preset.value = 'wazo';
    preset.dispatchEvent(new Event('change', { bubbles: true }));
    await waitFor(() => expect(row('cold').textContent).toContain('F4'));
    const text = document.querySelector('dialog textarea') as HTMLTextAreaElement;
    const paste = (words: string): void => {
      text.value = words;
      text.dispatchEvent(new Event('input', { bubbles: true }));
    };
    paste(text.value.replace('"answer": "F6"', '"answer": "F4"'));
    const use = (): HTMLElement => screen.getByText(nl.keys.useText);
    await waitFor(() => expect(use().hasAttribute('disabled')).toBe(false));
    use().click();
    await screen.findByText(nl.keys.refused);
    await screen.findByText(/F4 staat er twee keer in/);
    expect(row('answer').textContent).toContain('F6');
    paste(text.value.replace('"answer": "F4"', '"answer": "F13"'));
    use().click();
    await screen.findByText(nl.keys.imported);
    await waitFor(() => expect(row('answer').textContent).toContain('F13'));
    expect(preset.value).toBe('');
  });
});

describe('overlays', () => {
  it('open by key, leave the calls in reach, close with Esc and give the focus back', async () => {
    const host = await open();
    const field = screen.getByRole('combobox', { name: /Zoek/ });
    field.focus();
    press('F1');
    await waitFor(() => screen.getByRole('dialog', { name: 'Toetsen' }));
    const call = host.ring();
    const card = await screen.findByRole('article', { name: /Gesprek met/ });
    within(card).getByRole('button', { name: /Opnemen/ }).click();
    expect(sent(host, 'call.answer')).toEqual([{ cmd: 'call.answer', call }]);
    press('Escape');
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(document.activeElement).toBe(field);
  });
});
