// Encryption and the ways of sound in the account form: set, sent, and asked for where something is missing.

import { screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import { nl } from '../../i18n/nl';
import { fill, leave, open, sent, violations } from '../../views/harness';

afterEach(leave);

const { media } = nl.form;
const field = (name: string | RegExp): HTMLInputElement => screen.getByLabelText<HTMLInputElement>(name);
const choice = (name: string): HTMLInputElement => screen.getByRole<HTMLInputElement>('radio', { name });

async function byHand(): Promise<Awaited<ReturnType<typeof open>>> {
  const host = await open({ setup: true });
  const ways = screen.getByRole('region', { name: nl.setup.autoTitle });
  within(ways).getByRole('button', { name: 'Zelf invullen' }).click();
  fill(await screen.findByLabelText<HTMLInputElement>(/SIP-adres/), '101@pbx.example');
  fill(field(nl.form.password), 'geheim');
  return host;
}

it('sends what was set, the password at the relay among it', async () => {
  const host = await byHand();
  expect(choice(media.encryptions.off).checked).toBe(true);
  expect(screen.getByText(media.means.off)).toBeTruthy();
  choice(media.encryptions.always).click();
  await screen.findByText(media.means.always);
  for (const fold of document.querySelectorAll('details')) fold.open = true;
  const keying = screen.getByRole<HTMLSelectElement>('combobox', { name: media.keying });
  keying.value = 'dtls';
  keying.dispatchEvent(new Event('change', { bubbles: true }));
  screen.getByRole('checkbox', { name: new RegExp(media.pauses) }).click();
  screen.getByRole('checkbox', { name: new RegExp(media.ice.replace(/[()]/g, '.')) }).click();
  fill(await screen.findByLabelText<HTMLInputElement>(media.stun), 'stun.example');
  fill(field(media.turn), 'turns:turn.example');
  fill(await screen.findByLabelText<HTMLInputElement>(media.turnUser), 'jan');
  fill(field(media.turnPassword), 'relais');
  expect(field(media.turnPassword).type).toBe('password');
  expect(await violations()).toEqual([]);
  screen.getByRole('button', { name: nl.form.save }).click();
  expect(sent(host, 'account.save')).toMatchObject([{
    form: {
      media: { encryption: 'always', keying: 'dtls', silence_suppression: true, ice: true, stun: 'stun.example', turn: 'turns:turn.example', turn_user: 'jan', turn_password: 'relais' },
    },
  }]);
});

it('warns of keys on an unprotected connection, and opens the fold of what is missing', async () => {
  const host = await byHand();
  choice(media.encryptions.when_possible).click();
  const transport = screen.getByLabelText<HTMLSelectElement>(nl.form.transport);
  transport.value = 'udp';
  transport.dispatchEvent(new Event('change', { bubbles: true }));
  await waitFor(() => expect(document.querySelector('[data-part="encryption"]')?.textContent).toContain(media.open));
  screen.getByRole('checkbox', { name: new RegExp(media.ice.replace(/[()]/g, '.')), hidden: true }).click();
  fill(await screen.findByLabelText<HTMLInputElement>(media.stun), 'geen server');
  const fold = document.querySelector<HTMLDetailsElement>('[data-part="media"]');
  if (fold === null) throw new Error('no fold');
  fold.open = false;
  screen.getByRole('button', { name: nl.form.save }).click();
  await screen.findByText(media.noServer);
  expect(fold.open).toBe(true);
  expect(document.activeElement).toBe(field(media.stun));
  expect(sent(host, 'account.save')).toHaveLength(0);
});
