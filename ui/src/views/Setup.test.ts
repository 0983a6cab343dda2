// First start: an account found by user name and password, one by hand, one that only controls another phone.

import { screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import type { MockHost } from '../host/mock';
import { nl } from '../i18n/nl';
import { fill, leave, open, press, sent, violations } from './harness';

afterEach(leave);

const field = (name: string | RegExp): HTMLInputElement => screen.getByLabelText<HTMLInputElement>(name);

async function find(user: string, password = 'goed'): Promise<MockHost> {
  const host = await open({ setup: true });
  screen.getByRole('button', { name: 'Inloggen' }).click();
  fill(await screen.findByLabelText<HTMLInputElement>('Gebruikersnaam'), user);
  fill(field('Wachtwoord'), password);
  field('Wachtwoord').form?.requestSubmit();
  return host;
}

describe('automatic set-up', () => {
  it('finds an account, shows what it is, and signs it in without the page knowing its passwords', async () => {
    const host = await find('maud@lindeboom.example');
    expect(sent(host, 'account.discover')).toEqual([{ cmd: 'account.discover', user: 'maud@lindeboom.example', password: 'goed' }]);
    const card = await screen.findByRole('group', { name: nl.setup.found });
    expect(card.textContent).toMatch(/Maud Vermeulen.*088 765 40 01.*101.*101@lindeboom\.example/s);
    await waitFor(() => expect(document.activeElement).toBe(card));
    expect(document.documentElement.outerHTML).not.toContain('goed"');
    expect(await violations()).toEqual([]);
    screen.getByRole('button', { name: nl.form.save }).click();
    expect(sent(host, 'account.save')).toMatchObject([{ form: { discovered: 'found-1', password: '', user: '101@lindeboom.example', transport: 'tls' } }]);
    await screen.findByRole('combobox', { name: /Zoek/ });
  });

  it('may be adjusted by hand, its password left where it is', async () => {
    const host = await find('maud@lindeboom.example');
    (await screen.findByRole('button', { name: 'Aanpassen' })).click();
    fill(await screen.findByLabelText<HTMLInputElement>(/Naam die anderen zien/), 'Receptie');
    expect(screen.getByText(nl.form.passwordFound)).toBeTruthy();
    screen.getByRole('button', { name: nl.form.save }).click();
    expect(sent(host, 'account.save')).toMatchObject([{ form: { display_name: 'Receptie', discovered: 'found-1', password: '' } }]);
  });

  it('offers to control another phone when there is none of its own', async () => {
    const host = await find('geen@lindeboom.example');
    await screen.findByText(nl.setup.noTelephone);
    expect(screen.queryByRole('button', { name: nl.form.save })).toBeNull();
    screen.getByRole('button', { name: 'Alleen bedienen' }).click();
    expect(sent(host, 'account.save')).toMatchObject([{ form: { discovered: 'found-1', control_only: true } }]);
  });

  it('says that the exchange keeps the password of the phone', async () => {
    await find('geheim@lindeboom.example');
    await screen.findByText(nl.setup.noPassword);
    screen.getByRole('button', { name: 'Zelf invullen' }).click();
    await waitFor(() => expect(field(/SIP-adres/).value).toBe('101@lindeboom.example'));
  });

  it('says what is wrong, that it was tried once, and goes back to the field', async () => {
    const host = await find('maud@lindeboom.example', 'fout');
    const alert = await screen.findByText(`${nl.codes.auth_failed.what}.`);
    expect(alert.closest('[role="alert"]')?.textContent).toContain(nl.setup.onceMore);
    await waitFor(() => expect(document.activeElement).toBe(field('Wachtwoord')));
    expect(sent(host, 'account.discover')).toHaveLength(1);
    expect(await violations()).toEqual([]);
  });

  it('asks for the server when the user name does not tell it', async () => {
    const host = await find('nergens');
    await screen.findByText(`${nl.codes.dns_failure.what}.`);
    await waitFor(() => expect(document.querySelector('details')?.open).toBe(true));
    fill(field(/Server van de centrale/), 'xsp.lindeboom.example');
    field('Wachtwoord').form?.requestSubmit();
    expect(sent(host, 'account.discover')[1]).toMatchObject({ server: 'xsp.lindeboom.example' });
    await screen.findByRole('group', { name: nl.setup.found });
  });

  it('is not tried with an empty field', async () => {
    const host = await find('', '');
    expect(sent(host, 'account.discover')).toHaveLength(0);
    await waitFor(() => expect(field('Gebruikersnaam').getAttribute('aria-invalid')).toBe('true'));
    expect(document.activeElement).toBe(field('Gebruikersnaam'));
  });

  it('may be left for filling in by hand, and for the demo', async () => {
    const host = await open({ setup: true });
    expect(document.activeElement?.textContent).toBe('Inloggen');
    const ways = screen.getByRole('region', { name: nl.setup.autoTitle });
    within(ways).getByRole('button', { name: 'Zelf invullen' }).click();
    await screen.findByLabelText(/SIP-adres/);
    screen.getByRole('button', { name: nl.form.cancel }).click();
    (await screen.findByRole('button', { name: 'Start de demo' })).click();
    expect(sent(host, 'demo.start')).toHaveLength(1);
    await screen.findByRole('combobox', { name: /Zoek/ });
  });

  it('signs a refused account in by one button, that of its password', async () => {
    const host = await open();
    const refused = { state: 'failed', reason: 'auth_failed', demo: false } as const;
    host.change({ accounts: host.view.accounts.map((account) => ({ ...account, ...refused })) });
    document.querySelector<HTMLElement>('[data-account-state]')?.click();
    const dialog = await screen.findByRole('dialog');
    const buttons = within(dialog).getAllByRole('button', { name: nl.account.register });
    expect(buttons.map((button) => (button as HTMLButtonElement).type)).toEqual(['submit']);
    expect(await violations()).toEqual([]);
  });

  it('is how another account is added too', async () => {
    await open();
    document.querySelector<HTMLElement>('[data-account-state]')?.click();
    (await screen.findByRole('button', { name: nl.account.add })).click();
    await screen.findByLabelText('Gebruikersnaam');
    press('Escape');
    await waitFor(() => expect(document.querySelector('dialog')).toBeNull());
  });
});

it('closes how the window looks with Esc, and the focus comes back', async () => {
  await open({ setup: true });
  const opener = document.querySelector<HTMLElement>('[data-opens="view"]');
  opener?.focus();
  opener?.click();
  await waitFor(() => expect(opener?.getAttribute('aria-expanded')).toBe('true'));
  press('Escape');
  await waitFor(() => expect(opener?.getAttribute('aria-expanded')).toBe('false'));
  expect(document.activeElement).toBe(opener);
});
