// The desktop around the page: keys that work everywhere, starting at login, what was clicked elsewhere.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { TAKEN } from '../../host/mock/desktop';
import { nl } from '../../i18n/nl';
import { NO_HOTKEYS } from './hotkeys';
import { ui } from '../../shared/ui.svelte';
import { leave, open, press, sent, talk, type, violations } from '../../views/harness';

afterEach(leave);

const row = (name: string): HTMLButtonElement => {
  const found = document.querySelector<HTMLButtonElement>(`[data-hotkey="${name}"] > button`);
  if (found === null) throw new Error(`no key ${name}`);
  return found;
};

describe('keys that work everywhere', () => {
  it('are asked for by a press, say who has them, and go by Delete', async () => {
    const host = await open();
    ui.overlay = 'keys';
    await screen.findByRole('region', { name: nl.desktop.everywhere });
    row('answer').click();
    await waitFor(() => expect(row('answer').textContent).toContain(nl.keys.press));
    row('answer').focus();
    press('a');
    await screen.findByText(new RegExp(nl.desktop.refused.plain));
    press('t', { ctrlKey: true, altKey: true });
    await screen.findByText(nl.desktop.taken);
    expect(host.hotkeys().answer).toBe(TAKEN);
    row('answer').click();
    row('answer').focus();
    press('F9');
    await waitFor(() => expect(host.hotkeys().answer).toBe('F9'));
    await waitFor(() => expect(screen.queryByText(nl.desktop.taken)).toBeNull());
    expect(await violations()).toEqual([]);
    row('answer').click();
    row('answer').focus();
    press('Delete');
    await waitFor(() => expect(host.hotkeys().answer).toBe(''));
  });
});

describe('a desktop that gives keys itself', () => {
  it('says so, says which key it gave, and which it did not', async () => {
    const host = await open();
    Object.assign(host.desktop.stands, { asks: true, given: [{ does: 'answer', key: 'Super+A' }], taken: ['F9'] });
    await host.desktop.setHotkeys({ ...NO_HOTKEYS, answer: 'Ctrl+Alt+K', hold: 'F9' });
    ui.overlay = 'keys';
    await screen.findByText(nl.desktop.asks);
    await screen.findByText(nl.desktop.given('Super+A'));
    await screen.findByText(nl.desktop.notGiven);
    expect(await violations()).toEqual([]);
  });

  it('without any keys names the words that any desktop can bind', async () => {
    const host = await open();
    Object.assign(host.desktop.stands, { hotkeys: false });
    ui.overlay = 'keys';
    await screen.findByText(nl.desktop.notHere);
    expect(document.querySelector('[data-verbs]')?.textContent).toContain('balie answer');
  });
});

describe('notifications of the desktop', () => {
  it('are of calls where the desktop needs it, and as the user chooses', async () => {
    const host = await open();
    Object.assign(host.desktop.stands, { notices_of_calls: true });
    ui.overlay = 'view';
    const calls = await screen.findByRole('switch', { name: nl.desktop.noticeCalls });
    await waitFor(() => expect(calls.getAttribute('aria-checked')).toBe('true'));
    calls.click();
    await waitFor(() => expect(calls.getAttribute('aria-checked')).toBe('false'));
    screen.getByRole('switch', { name: nl.desktop.noticeMissed }).click();
    await waitFor(() => expect(sent(host, 'settings.set').at(-1)).toEqual({ cmd: 'settings.set', notices: { calls: false, missed: false } }));
    expect(await violations()).toEqual([]);
  });
});

describe('starting at login', () => {
  it('is a switch that shows what the desktop says', async () => {
    await open();
    ui.overlay = 'view';
    const at = await screen.findByRole('switch', { name: nl.desktop.atLogin });
    expect(at.getAttribute('aria-checked')).toBe('false');
    at.click();
    await waitFor(() => expect(at.getAttribute('aria-checked')).toBe('true'));
  });
});

describe('what was clicked elsewhere', () => {
  it('lies ready in the search field, is said, and is dialled by hand only', async () => {
    const host = await open();
    host.prepare('+31301234567');
    const field = await screen.findByRole<HTMLInputElement>('combobox', { name: /Zoek/ });
    await waitFor(() => expect(field.value).toBe('+31301234567'));
    expect(document.activeElement).toBe(field);
    expect(ui.said).toBe(nl.desktop.prepared('+31301234567', 'Enter'));
    expect(sent(host, 'desk.prepared_taken')).toHaveLength(1);
    expect(sent(host, 'call.dial')).toHaveLength(0);
    // Nobody has written anything yet: the next one takes its place.
    host.prepare('0207654321');
    await waitFor(() => expect(field.value).toBe('0207654321'));
    press('Enter');
    await waitFor(() => expect(sent(host, 'call.dial')).toMatchObject([{ to: '0207654321' }]));
  });

  it('says that Enter consults while somebody is on the line, and Enter does', async () => {
    const host = await open();
    const call = await talk(host);
    host.prepare('0301234567');
    await waitFor(() => expect(ui.said).toMatch(/Enter vraagt ruggespraak terwijl .+ wacht; Alt Enter belt los/));
    press('Enter');
    await waitFor(() => expect(sent(host, 'call.transfer.consult')).toEqual([{ cmd: 'call.transfer.consult', call, to: '0301234567' }]));
    expect(sent(host, 'call.dial')).toHaveLength(0);
  });

  it('lies beside what was typed, is taken by its key, and goes with Esc', async () => {
    const host = await open();
    type('bakk');
    host.prepare('0301234567');
    await screen.findByRole('group', { name: nl.desktop.readyHeading });
    const field = screen.getByRole<HTMLInputElement>('combobox', { name: /Zoek/ });
    expect(field.value).toBe('bakk');
    expect(ui.said).toBe(nl.desktop.offered('0301234567', 'Alt Y'));
    expect(await violations()).toEqual([]);
    // Esc takes away what came last; what was typed stays.
    press('Escape');
    await waitFor(() => expect(document.querySelector('[data-ready]')).toBeNull());
    expect(field.value).toBe('bakk');
    expect(sent(host, 'desk.prepared_taken')).toHaveLength(1);
    host.prepare('0207654321');
    await waitFor(() => expect(document.querySelector('[data-ready]')).not.toBeNull());
    press('y', { altKey: true, code: 'KeyY' });
    await waitFor(() => expect(field.value).toBe('0207654321'));
    expect(document.querySelector('[data-ready]')).toBeNull();
    expect(ui.said).toBe(nl.desktop.prepared('0207654321', 'Enter'));
  });

  it('is emptied by Esc at once, though the program has not yet heard that it was taken', async () => {
    const host = await open();
    host.slowWith = 'desk.prepared_taken';
    host.prepare('0301234567');
    const field = await screen.findByRole<HTMLInputElement>('combobox', { name: /Zoek/ });
    await waitFor(() => expect(field.value).toBe('0301234567'));
    expect(host.view.prepared).toBe('0301234567');
    press('Escape');
    await waitFor(() => expect(field.value).toBe(''));
  });

  it('never slips under a press: what was offered stays beside an emptied field', async () => {
    const host = await open();
    type('0612345678');
    host.prepare('0301234567');
    await waitFor(() => expect(document.querySelector('[data-ready]')).not.toBeNull());
    press('Enter');
    await waitFor(() => expect(sent(host, 'call.dial')).toMatchObject([{ to: '0612345678' }]));
    const field = screen.getByRole<HTMLInputElement>('combobox', { name: /Zoek/ });
    await waitFor(() => expect(field.value).toBe(''));
    expect(document.querySelector('[data-ready]')).not.toBeNull();
  });

  it('waits beside a consultation, whose caller Esc gives back first', async () => {
    const host = await open();
    await talk(host);
    type('202');
    press('Enter');
    await waitFor(() => expect(document.querySelector('[data-flow]')).not.toBeNull());
    host.prepare('0301234567');
    await waitFor(() => expect(document.querySelector('[data-ready]')).not.toBeNull());
    press('Escape');
    await waitFor(() => expect(sent(host, 'call.transfer.cancel')).toHaveLength(1));
    expect(document.querySelector('[data-ready]')).not.toBeNull();
  });
});
