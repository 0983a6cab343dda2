// What costs is asked about once and by hand; a call for help never is, whatever goes on.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nl } from '../../i18n/nl';
import { ui } from '../../shared/ui.svelte';
import { leave, open, press, sent, talk, type, violations } from '../../views/harness';
import { costs } from './costs.svelte';

let clock = 0;
beforeEach(() => {
  clock = 0;
  costs.now = () => clock;
});
afterEach(leave);

it('asks once before a number that costs; a hasty Enter is no yes', async () => {
  const host = await open();
  type('0900-8844');
  press('Enter');
  const question = await screen.findByRole('group', { name: nl.costs.heading });
  await waitFor(() => expect(question.textContent).toContain(nl.costs.kinds.premium));
  expect(host.commands.filter(({ cmd }) => cmd === 'call.dial')).toEqual([{ cmd: 'call.dial', to: '0900-8844', guarded: true }]);
  expect(host.view.calls).toHaveLength(0);
  expect(await violations()).toEqual([]);
  press('Enter');
  expect(sent(host, 'call.dial')).toHaveLength(1);
  clock = 1000;
  press('Enter');
  await waitFor(() => expect(host.view.calls).toHaveLength(1));
  expect(host.commands.filter(({ cmd }) => cmd === 'call.dial')[1]).toEqual({ cmd: 'call.dial', to: '0900-8844' });
  expect(costs.question).toBeNull();
});

it('says before a number that the company does not let out, and tries it for whoever insists', async () => {
  const host = await open();
  type('0906-1234');
  press('Enter');
  const told = await screen.findByRole('group', { name: nl.costs.blockedHeading });
  expect(told.textContent).toContain(nl.costs.blocked);
  expect(await violations()).toEqual([]);
  clock = 1000;
  screen.getByRole('button', { name: new RegExp(nl.costs.tryIt) }).click();
  await waitFor(() => expect(host.view.calls).toHaveLength(1));
  expect(sent(host, 'call.dial').at(-1)).toEqual({ cmd: 'call.dial', to: '0906-1234' });
});

it('leaves it with Esc or with the next letter, and keeps what was typed', async () => {
  const host = await open();
  type('+32 471 23 45 67');
  press('Enter');
  await waitFor(() => expect(costs.question).not.toBeNull());
  press('Escape');
  expect(costs.question).toBeNull();
  const field = screen.getByRole<HTMLInputElement>('combobox', { name: /Zoek/ });
  expect(field.value).toBe('+32 471 23 45 67');
  press('Enter');
  await waitFor(() => expect(costs.question).not.toBeNull());
  type('+32 471 23 45 6');
  expect(costs.question).toBeNull();
  expect(host.view.calls).toHaveLength(0);
});

it('asks before a caller is sent to what costs', async () => {
  const host = await open();
  const call = await talk(host);
  type('0900-8844');
  press('Enter', { ctrlKey: true });
  await screen.findByRole('button', { name: new RegExp(nl.costs.send) });
  expect(host.view.calls.find((one) => one.id === call)?.state).toBe('active');
  clock = 1000;
  screen.getByRole('button', { name: new RegExp(nl.costs.send) }).click();
  await waitFor(() => expect(sent(host, 'call.transfer.blind')).toHaveLength(2));
});

it('calls for help apart from the caller, and says by which line', async () => {
  const host = await open();
  await talk(host);
  type('1 1 2');
  await waitFor(() => expect(document.querySelector<HTMLElement>('[data-help]')?.textContent).toContain(nl.help.with('Receptie', '088 765 40 00')));
  press('Enter');
  await waitFor(() => expect(sent(host, 'call.dial')).toEqual([{ cmd: 'call.dial', to: '1 1 2' }]));
  expect(sent(host, 'call.transfer.consult')).toHaveLength(0);
});

it('warns where no account reaches help', async () => {
  const host = await open();
  host.change({ help: { numbers: ['112'], account: 'main', warning: 'cannot_call' } });
  type('112');
  await screen.findByText(nl.help.warnings.cannot_call);
});

it('keeps the rules', async () => {
  const host = await open();
  ui.overlay = 'view';
  const foreign = await screen.findByRole('switch', { name: nl.costs.foreign });
  foreign.click();
  await waitFor(() => expect(foreign.getAttribute('aria-checked')).toBe('false'));
  expect(sent(host, 'settings.set').at(-1)).toMatchObject({ guard: { premium: true, foreign: false, never: [], country: 'NL' } });
  expect(await violations()).toEqual([]);
});
