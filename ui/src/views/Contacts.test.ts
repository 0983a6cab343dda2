// Lists of contacts on the whole page: a file is looked at, kept and taken back.

import { screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import type { MockHost } from '../host/mock';
import { fill, leave, open, press, sent, type, violations } from './harness';

afterEach(leave);

async function contacts(): Promise<MockHost> {
  const host = await open();
  press('5', { ctrlKey: true, code: 'Digit5' });
  await screen.findByRole('heading', { name: 'Contacten' });
  return host;
}

/** What a button says of itself beyond its name. */
function described(button: HTMLElement): string {
  return document.getElementById(button.getAttribute('aria-describedby') ?? '')?.textContent ?? '';
}

function choose(name: string): void {
  const picker = document.querySelector<HTMLInputElement>('[data-file]');
  if (picker === null) throw new Error('no picker');
  const bytes = new TextEncoder().encode('Voornaam;Achternaam\r\nZoë;de Wit\r\n');
  const file = new File([bytes], name);
  // The environment of the tests has no files that read themselves.
  file.arrayBuffer = () => Promise.resolve(bytes.buffer);
  Object.defineProperty(picker, 'files', { value: [file], configurable: true });
  picker.dispatchEvent(new Event('change', { bubbles: true }));
}

it('looks at a file, lets a column mean something else, keeps the list and takes it back', async () => {
  const host = await contacts();
  expect(screen.getByText('Nog geen lijst ingelezen.')).toBeTruthy();
  choose('klanten.csv');
  const preview = await screen.findByRole('region', { name: 'Bekijk klanten.csv' });
  expect(preview.textContent).toContain('3 contacten, Windows-1252, gescheiden door ;');
  expect(sent(host, 'contacts.import')).toEqual([]);
  const work = within(preview).getByRole<HTMLSelectElement>('combobox', { name: 'Telefoon op werk' });
  expect(work.value).toBe('work');
  work.value = 'main';
  work.dispatchEvent(new Event('change', { bubbles: true }));
  expect(await violations()).toEqual([]);
  within(preview).getByRole('button', { name: 'Inlezen' }).click();
  await screen.findByText('2 contacten ingelezen, 1 overgeslagen.');
  expect(sent(host, 'contacts.import')).toMatchObject([{ name: 'klanten.csv', mapping: ['given_name', 'family_name', 'main', 'ignore'] }]);
  expect(screen.getByRole('region', { name: 'Niet alles kon mee' }).textContent).toContain('Regel 4');
  screen.getByRole('button', { name: 'Lijst klanten.csv terugdraaien' }).click();
  await screen.findByText('De lijst klanten.csv is weer weg.');
  expect(document.querySelector('[data-list]')).toBeNull();
});

it('shows which list gave what of a person, takes him apart, and back again', async () => {
  const host = await open();
  type('0302318800');
  const section = await screen.findByRole('region', { name: 'In de contactlijsten' });
  await within(section).findByText('Hele naam, Telefoon werk');
  expect(await violations()).toEqual([]);
  within(section).getByRole('button', { name: 'Die van Gids is iemand anders' }).click();
  await screen.findByText('2 contacten hebben dit nummer');
  expect(sent(host, 'contacts.split')).toMatchObject([{ contact: 902 }]);
  (await within(section).findByRole('button', { name: 'Ongedaan maken' })).click();
  await screen.findByText('Samengevoegd uit');
  expect(sent(host, 'contacts.merge')).toMatchObject([{ contacts: [901, 902] }]);
  expect(await violations()).toEqual([]);
});

it('sets how long is kept and what opens for a caller, and says what cannot be', async () => {
  const host = await contacts();
  const kept = screen.getByRole('region', { name: 'Hoelang gesprekken en notities bewaard worden' });
  const days = within(kept).getByLabelText<HTMLInputElement>(/Dagen/);
  await waitFor(() => expect(days.value).toBe('90'));
  fill(days, '99999');
  within(kept).getByRole('button', { name: 'Bewaren' }).click();
  await within(kept).findAllByText('Vul een getal tussen 0 en 3660 in.');
  expect(sent(host, 'privacy.set')).toEqual([]);
  fill(days, '30');
  within(kept).getByRole('button', { name: 'Bewaren' }).click();
  await within(kept).findByText('Wordt 30 dagen bewaard.');
  const pop = screen.getByRole('region', { name: 'Wat er opengaat bij een oproep' });
  const page = within(pop).getByLabelText<HTMLInputElement>(/^Pagina/);
  fill(page, 'javascript:alert(1)');
  within(pop).getByRole('button', { name: 'Bewaren' }).click();
  await waitFor(() => expect(pop.querySelector('.bad')).not.toBeNull());
  fill(page, 'https://crm.example/?n={number}');
  fill(within(pop).getByLabelText<HTMLInputElement>(/Programma/), 'crm\n--name={name}\n');
  within(pop).getByRole('radio', { name: 'Als ik opneem' }).click();
  within(pop).getByRole('button', { name: 'Bewaren' }).click();
  await within(pop).findByText('https://crm.example/?n=%2B31612345678');
  expect(sent(host, 'screen_pop.set')[1]).toMatchObject({ command: ['crm', '--name={name}'], answered: true });
  expect(await violations()).toEqual([]);
});

it('lets another list count first', async () => {
  const host = await contacts();
  for (const name of ['een.csv', 'twee.csv']) {
    choose(name);
    (await screen.findByRole('button', { name: 'Inlezen' })).click();
    await screen.findByText('2 contacten ingelezen, 1 overgeslagen.');
  }
  const order = await screen.findByRole('region', { name: 'Welke lijst telt' });
  within(order).getByRole('button', { name: 'twee.csv eerder laten tellen' }).click();
  await within(order).findByText('twee.csv telt nu eerst.');
  expect(sent(host, 'contacts.source_order')).toHaveLength(1);
  expect(await violations()).toEqual([]);
});

it('does not import without names, and says what is no list', async () => {
  const host = await contacts();
  choose('foto.png');
  await screen.findByText(/niet te lezen als lijst/);
  choose('klanten.csv');
  const preview = await screen.findByRole('region', { name: 'Bekijk klanten.csv' });
  for (const name of ['Voornaam', 'Achternaam']) {
    const field = within(preview).getByRole<HTMLSelectElement>('combobox', { name });
    field.value = 'ignore';
    field.dispatchEvent(new Event('change', { bubbles: true }));
  }
  await screen.findByText('Kies ten minste één kolom met een naam of een bedrijf.');
  within(preview).getByRole('button', { name: 'Inlezen' }).click();
  within(preview).getByRole('button', { name: 'Niet inlezen' }).click();
  await waitFor(() => expect(document.querySelector('[data-preview]')).toBeNull());
  expect(sent(host, 'contacts.import')).toEqual([]);
});

it('notes something of the chosen one and remembers to call back', async () => {
  const host = await open();
  type('201');
  const field = await waitFor(() => {
    const found = document.querySelector<HTMLInputElement>('[data-note]');
    if (found === null) throw new Error('no field for a note');
    return found;
  });
  fill(field, ' belt maandag ');
  const keep = screen.getByRole<HTMLButtonElement>('button', { name: 'Noteer' });
  await waitFor(() => expect(keep.disabled).toBe(false));
  keep.click();
  await screen.findByText('belt maandag');
  expect(sent(host, 'note.add')).toMatchObject([{ number: '201', text: ' belt maandag ' }]);
  expect(field.value).toBe('');
  screen.getByRole('button', { name: 'Later terugbellen' }).click();
  await waitFor(() => expect(sent(host, 'call_back.add')).toMatchObject([{ number: '201' }]));
  press('5', { ctrlKey: true, code: 'Digit5' });
  const list = await screen.findByRole('region', { name: 'Terug te bellen' });
  (await within(list).findByRole('button', { name: /^Gedaan/ })).click();
  await waitFor(() => expect(list.querySelector('[data-call-back="done"]')?.textContent).toContain('door Receptie'));
  expect(await violations()).toEqual([]);
});

it('hands over and erases what is kept of a number, the latter only when asked twice', async () => {
  const saved: Blob[] = [];
  URL.createObjectURL = (blob: Blob) => {
    saved.push(blob);
    return 'blob:balie';
  };
  URL.revokeObjectURL = () => undefined;
  const host = await contacts();
  await host.control({ cmd: 'note.add', number: '030-2318800', text: 'belt maandag' });
  const kept = screen.getByRole('region', { name: 'Wat er van iemand wordt bewaard' });
  fill(within(kept).getByRole<HTMLInputElement>('textbox'), '030 231 88 00');
  const handOver = within(kept).getByRole<HTMLButtonElement>('button', { name: 'Bewaar als bestand' });
  await waitFor(() => expect(handOver.disabled).toBe(false));
  handOver.click();
  await within(kept).findByText('Bewaard als bestand: 0 gesprekken, 1 notitie, 0 contacten.');
  expect(saved).toHaveLength(1);
  host.kept.alsoIn = ['Zaak'];
  within(kept).getByRole('button', { name: 'Wissen…' }).click();
  const yes = await within(kept).findByRole('button', { name: 'Ja, alles van dit nummer wissen' });
  expect(described(yes)).toContain('kan het terugbrengen');
  expect(await violations()).toEqual([]);
  yes.click();
  await within(kept).findByText('Gewist: 0 gesprekken, 1 notitie, 0 contacten. Staat ook in Zaak: haal het daar ook weg, anders kan het terugkomen.');
  expect(sent(host, 'privacy.erase')).toMatchObject([{ number: '030 231 88 00' }]);
});

it('erases a person with all numbers from the card, once it was said what goes', async () => {
  const host = await open();
  type('0302318800');
  await screen.findByRole('region', { name: 'In de contactlijsten' });
  await host.control({ cmd: 'note.add', number: '0302318800', text: 'belt maandag' });
  const card = await waitFor(() => {
    const found = document.querySelector<HTMLDetailsElement>('[data-kept]');
    if (found === null) throw new Error('no card');
    return found;
  });
  card.open = true;
  within(card).getByRole('button', { name: 'Wissen…' }).click();
  const yes = await within(card).findByRole('button', { name: /^Ja, alles van .+ wissen$/ });
  expect(sent(host, 'privacy.erase')).toEqual([]);
  expect(sent(host, 'privacy.export')).toMatchObject([{ contact: 901 }]);
  expect(described(yes)).toContain('Dit verdwijnt: 0 gesprekken, 1 notitie, 1 contact.');
  expect(described(yes)).toContain('verdwijnt voorgoed');
  expect(await violations()).toEqual([]);
  within(card).getByRole('button', { name: 'Niet wissen' }).click();
  (await within(card).findByRole('button', { name: 'Wissen…' })).click();
  host.kept.alsoIn = ['Zaak'];
  (await within(card).findByRole('button', { name: /^Ja, alles van/ })).click();
  await within(card).findByText('Gewist: 0 gesprekken, 1 notitie, 1 contact. Staat ook in Zaak: haal het daar ook weg, anders kan het terugkomen.');
  expect(sent(host, 'privacy.erase')).toMatchObject([{ contact: 901 }]);
  await waitFor(() => expect(screen.queryByText('belt maandag')).toBeNull());
});

it('says what goes and what comes back before everything is erased', async () => {
  const host = await contacts();
  await host.control({ cmd: 'note.add', number: '030-2318800', text: 'belt maandag' });
  const kept = screen.getByRole('region', { name: 'Wat er van iemand wordt bewaard' });
  within(kept).getByRole('button', { name: 'Alles wissen…' }).click();
  const yes = await within(kept).findByRole('button', { name: 'Ja, alles wissen' });
  expect(described(yes)).toContain('uw bronnen met hun wachtwoorden ook');
  expect(described(yes)).toContain('Collega’s worden opnieuw uit de telefooncentrale gelezen');
  within(kept).getByRole('button', { name: 'Niet wissen' }).click();
  await waitFor(() => expect(within(kept).queryByRole('button', { name: 'Ja, alles wissen' })).toBeNull());
  expect(sent(host, 'privacy.erase')).toEqual([]);
  within(kept).getByRole('button', { name: 'Alles wissen…' }).click();
  (await within(kept).findByRole('button', { name: 'Ja, alles wissen' })).click();
  await within(kept).findByText('Gewist: 0 gesprekken, 1 notitie, 0 contacten.');
  expect(sent(host, 'privacy.erase')).toMatchObject([{ everybody: true }]);
});

it('says of a missed call that somebody has spoken to the caller since', async () => {
  const host = await open();
  const [missed, ...rest] = (await host.control({ cmd: 'view.get' })).history;
  if (missed === undefined) throw new Error('no missed call');
  host.change({ history: [{ ...missed, called_back: { at_ms: Date.now(), by: 'Els' } }, ...rest] });
  const row = await waitFor(() => {
    const found = document.querySelector('[data-settled]');
    if (found === null) throw new Error('not settled');
    return found;
  });
  expect(row.textContent).toContain('door Els');
  expect(row.classList.contains('trouble')).toBe(false);
});

it('says of a call from the list of the exchange that another telephone was used', async () => {
  const host = await open();
  const [past, ...rest] = (await host.control({ cmd: 'view.get' })).history;
  if (past === undefined) throw new Error('no call');
  const elsewhere = { ...past, elsewhere: true, seconds: 0, reason: null, called_back: null };
  host.change({ history: [{ ...elsewhere, id: 901, outcome: 'answered' }, { ...elsewhere, id: 902, direction: 'out', outcome: 'placed' }, ...rest] });
  await screen.findByText('Opgenomen op een ander toestel');
  const row = screen.getByText('Gebeld met een ander toestel').closest('li');
  expect(row?.dataset['outcome']).toBe('placed');
  expect(row?.classList.contains('trouble')).toBe(false);
});
