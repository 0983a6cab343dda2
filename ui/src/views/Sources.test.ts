// Address books and directories on the whole page: added by hand, tried out, read, changed and removed.

import { screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import type { MockHost } from '../host/mock';
import { fill, leave, open, press, sent, type, violations } from './harness';

afterEach(leave);

async function contacts(): Promise<MockHost> {
  const host = await open();
  press('5', { ctrlKey: true, code: 'Digit5' });
  await screen.findByRole('region', { name: 'Adresboeken en gidsen' });
  return host;
}

const add = (): HTMLElement => screen.getByRole('button', { name: 'Adresboek of gids toevoegen…' });
const form = (name: string): Promise<HTMLElement> => screen.findByRole('form', { name });
const field = (inside: HTMLElement, name: RegExp): HTMLInputElement => within(inside).getByLabelText<HTMLInputElement>(name);

it('adds an address book that was tried out, and shows how it is read', async () => {
  const host = await contacts();
  expect(screen.getByText('Nog geen adresboek of gids.')).toBeTruthy();
  add().click();
  const made = await form('Nieuw adresboek of nieuwe gids');
  // The keyboard is in the first field.
  expect(document.activeElement).toBe(field(made, /E-mailadres of server/));
  within(made).getByRole('button', { name: 'Bewaren' }).click();
  await screen.findByText('Vul in waar het adresboek staat.');
  expect(sent(host, 'sources.add')).toEqual([]);
  fill(field(made, /E-mailadres of server/), ' dav.example.nl ');
  fill(field(made, /Gebruikersnaam/), 'jan');
  fill(field(made, /Wachtwoord/), 'fout');
  within(made).getByRole('button', { name: 'Uitproberen' }).click();
  await screen.findByText('Gebruikersnaam of wachtwoord is fout.');
  fill(field(made, /Wachtwoord/), 'goed');
  for (const name of [/Wanneer collega/, /Niet storen zolang/, /Notities van gesprekken/]) within(made).getByRole('checkbox', { name }).click();
  within(made).getByRole('button', { name: 'Uitproberen' }).click();
  await screen.findByText('Het werkt. Gevonden: Zaak, Privé.');
  expect(await violations()).toEqual([]);
  within(made).getByRole('button', { name: 'Bewaren' }).click();
  await screen.findByText('dav.example.nl is bewaard en wordt gelezen.');
  expect(sent(host, 'sources.add')).toMatchObject([
    { form: { password: 'goed', settings: { every_minutes: 15, own_dnd: true, call_notes: true, place: { kind: 'carddav', address: 'dav.example.nl', user: 'jan', calendars: true } } } },
  ]);
  await screen.findByText(/48 contacten, bijgewerkt/);
  expect(document.querySelector('[data-source-form]')).toBeNull();
});

it('signs in to Microsoft 365 with the browser and with a code, and says why it did not work', async () => {
  const host = await contacts();
  add().click();
  const made = await form('Nieuw adresboek of nieuwe gids');
  within(made).getByRole('radio', { name: 'Microsoft 365-account' }).click();
  const browser = await within(made).findByRole('button', { name: 'Aanmelden in de browser' });
  browser.click();
  await screen.findByText('Vul de toepassings-id in.');
  expect(sent(host, 'sources.sign_in')).toEqual([]);
  fill(field(made, /Toepassings-id/), ' app-1 ');
  within(made).getByRole('checkbox', { name: 'Met wie ik vaak werk' }).click();
  fill(field(made, /Gedeelde postvakken/), 'verkoop@zilver.example');
  browser.click();
  await screen.findByText('Meld u aan in de browser die nu opengaat…');
  expect(sent(host, 'sources.sign_in')).toMatchObject([
    { way: 'browser', open: true, form: { settings: { place: { kind: 'microsoft', client: 'app-1', contacts: true, users: true, people: true } } } },
  ]);
  await waitFor(() => expect(sent(host, 'sources.signed_in')).toHaveLength(1));
  host.feeds.person({ trouble: 'consent' });
  await screen.findByText('Een beheerder van uw organisatie moet eerst toestaan dat Balie dit leest.');
  within(made).getByRole('button', { name: 'Aanmelden met een code' }).click();
  await screen.findByText('ABCD-EFGH');
  expect(await violations()).toEqual([]);
  within(made).getAllByRole('button', { name: 'Annuleren' })[0]?.click();
  await waitFor(() => expect(sent(host, 'sources.sign_in_cancel')).toHaveLength(1));
  (await within(made).findByRole('button', { name: 'Aanmelden met een code' })).click();
  await waitFor(() => expect(sent(host, 'sources.signed_in')).toHaveLength(3));
  host.feeds.person({ ok: true, account: 'jan@zilver.example' });
  await screen.findByText('Aangemeld als jan@zilver.example.');
  within(made).getByRole('button', { name: 'Bewaren' }).click();
  await screen.findByText('Microsoft 365 is bewaard en wordt gelezen.');
  const [saved] = sent(host, 'sources.add');
  expect(saved).toMatchObject({ form: { password: '', sign_in: expect.any(Number), settings: { place: { mailboxes: 'verkoop@zilver.example' } } } });
});

it('says when somebody is free where the calendars may be read, and nothing else of him', async () => {
  const host = await contacts();
  add().click();
  const made = await form('Nieuw adresboek of nieuwe gids');
  within(made).getByRole('radio', { name: 'Microsoft 365-account' }).click();
  fill(await within(made).findByLabelText<HTMLInputElement>(/Toepassings-id/), 'app-1');
  within(made).getByRole('checkbox', { name: /Wanneer collega/ }).click();
  within(made).getByRole('button', { name: 'Bewaren' }).click();
  await screen.findByText('Microsoft 365 is bewaard en wordt gelezen.');
  press('1', { ctrlKey: true, code: 'Digit1' });
  await screen.findByRole('combobox', { name: /Zoek/ });
  type('0612345678');
  await screen.findByText(/In een afspraak, vrij om \d{1,2}[:.]\d{2}/);
  expect(sent(host, 'contacts.availability')[0]).toMatchObject({ numbers: ['0612345678'] });
  expect(await violations()).toEqual([]);
});

it('changes a directory without asking for its password again, and removes it after asking twice', async () => {
  const host = await contacts();
  add().click();
  const made = await form('Nieuw adresboek of nieuwe gids');
  within(made).getByRole('radio', { name: 'Bedrijfsgids (LDAP)' }).click();
  fill(await within(made).findByLabelText<HTMLInputElement>(/^Server/), 'ad.example.nl');
  within(made).getByRole('radio', { name: 'Geen' }).click();
  await screen.findByText(/leesbaar over het netwerk/);
  within(made).getByRole('button', { name: 'Bewaren' }).click();
  const change = await screen.findByRole('button', { name: 'ad.example.nl wijzigen' });
  change.click();
  const again = await form('ad.example.nl wijzigen');
  expect(field(again, /^Server/).value).toBe('ad.example.nl');
  fill(field(again, /^Naam/), 'Gids');
  within(again).getByRole('button', { name: 'Bewaren' }).click();
  await screen.findByText('Gids is bewaard en wordt gelezen.');
  expect(sent(host, 'sources.change')).toMatchObject([{ form: { name: 'Gids', password: '', settings: { place: { host: 'ad.example.nl', encryption: 'none' } } } }]);
  screen.getByRole('button', { name: 'Gids verwijderen' }).click();
  (await screen.findByRole('button', { name: 'Ja, verwijder met alle contacten' })).click();
  await screen.findByText('Gids is weg.');
  expect(document.querySelector('[data-source]')).toBeNull();
});

it('says in words why one cannot be read, and when it is tried again', async () => {
  const host = await contacts();
  add().click();
  const made = await form('Nieuw adresboek of nieuwe gids');
  fill(field(made, /E-mailadres of server/), 'dav.example.nl');
  within(made).getByRole('button', { name: 'Bewaren' }).click();
  await screen.findByText(/48 contacten, bijgewerkt/);
  host.feeds.set(40, { state: 'failed', trouble: 'unreachable', next_ms: Date.now() + 60_000 });
  await screen.findByText(/De server is niet bereikbaar.*Nieuwe poging om/);
  screen.getByRole('button', { name: 'dav.example.nl nu bijwerken' }).click();
  await waitFor(() => expect(sent(host, 'sources.sync')).toMatchObject([{ source: 40 }]));
  await screen.findByText(/48 contacten, bijgewerkt/);
});

it('says calmly that notes are not in the calendar yet, at the source and where notes are typed, and nothing once they are', async () => {
  const host = await contacts();
  add().click();
  const made = await form('Nieuw adresboek of nieuwe gids');
  fill(field(made, /E-mailadres of server/), 'dav.example.nl');
  within(made).getByRole('checkbox', { name: /Notities van gesprekken/ }).click();
  within(made).getByRole('button', { name: 'Bewaren' }).click();
  await screen.findByText(/48 contacten, bijgewerkt/);
  host.feeds.set(40, { unwritten: { notes: 2, trouble: 'unreachable', next_ms: Date.now() + 60_000 } });
  const words = /^2 notities staan nog niet in de agenda, wel hier\. De server is niet bereikbaar.*Nieuwe poging om/;
  const told = await screen.findByText(words);
  // A screen reader reads it out; it is no alarm.
  expect(told.closest('[role="status"]')).not.toBeNull();
  expect(told.closest('.bad')).toBeNull();
  expect(await violations()).toEqual([]);
  press('1', { ctrlKey: true, code: 'Digit1' });
  await screen.findByRole('combobox', { name: /Zoek/ });
  type('0612345678');
  await screen.findByText(words);
  expect(await violations()).toEqual([]);
  host.feeds.set(40, { unwritten: { notes: 1, trouble: 'refused', next_ms: null } });
  await screen.findByText('1 notitie staat nog niet in de agenda, wel hier. Gebruikersnaam of wachtwoord is fout.');
  host.feeds.set(40, { unwritten: null });
  await waitFor(() => expect(screen.queryByText(/nog niet in de agenda/)).toBeNull());
});

it('shows the directory of the exchange, which is updated and neither changed nor removed', async () => {
  const host = await contacts();
  host.feeds.exchange('KPN', 1000);
  await screen.findByText(/Gids van de telefooncentrale · 1000 contacten, bijgewerkt/);
  expect(screen.queryByRole('button', { name: 'KPN wijzigen' })).toBeNull();
  expect(screen.queryByRole('button', { name: 'KPN verwijderen' })).toBeNull();
  screen.getByRole('button', { name: 'KPN nu bijwerken' }).click();
  await waitFor(() => expect(sent(host, 'sources.sync')).toMatchObject([{ source: 90 }]));
  expect(await violations()).toEqual([]);
});

it('adds a caller whom nobody knows to an address book, by keyboard', async () => {
  const host = await contacts();
  add().click();
  const made = await form('Nieuw adresboek of nieuwe gids');
  fill(field(made, /E-mailadres of server/), 'dav.example.nl');
  within(made).getByRole('button', { name: 'Bewaren' }).click();
  await screen.findByText(/48 contacten, bijgewerkt/);
  press('1', { ctrlKey: true, code: 'Digit1' });
  await screen.findByRole('combobox', { name: /Zoek/ });
  type('0612345678');
  const offer = await screen.findByRole('button', { name: 'Toevoegen aan adresboek' });
  offer.click();
  const one = await form('Toevoegen aan adresboek');
  const name = field(one, /Naam/);
  await waitFor(() => expect(document.activeElement).toBe(name));
  fill(name, 'Jan Smit');
  within(one).getByRole('button', { name: 'Bewaren' }).click();
  await waitFor(() => expect(sent(host, 'sources.add_contact')).toMatchObject([{ source: 40, contact: { name: 'Jan Smit', numbers: [{ number: '0612345678' }] } }]));
  await waitFor(() => expect(screen.queryByRole('button', { name: 'Toevoegen aan adresboek' })).toBeNull());
  expect(await violations()).toEqual([]);
});
