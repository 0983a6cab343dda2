// Where a caller can be sent: by number key from the menu, by the key of the voicemail, and what is said of it on the way.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import { nl } from '../../i18n/nl';
import { leave, open, press, sent, talk, type, violations } from '../../views/harness';
import { targetMenu } from './targets.svelte';

afterEach(leave);

const D = { altKey: true, code: 'KeyD' };

it('gives a caller to the voicemail of the chosen one in two keys, and says where he goes', async () => {
  const host = await open();
  const call = await talk(host);
  type('sanne');
  await screen.findByRole('option', { name: /Sanne Visser/, selected: true });
  press('d', D);
  const menu = await screen.findByRole('group', { name: nl.targets.heading('Sanne Visser') });
  expect(menu.textContent).toMatch(/1.*Toestel.*201.*2.*Mobiel.*3.*Voicemail.*4.*Parkeren bij/s);
  expect(await violations()).toEqual([]);
  press('3');
  await waitFor(() => expect(sent(host, 'call.transfer.blind')).toEqual([{ cmd: 'call.transfer.blind', call, to: '*55201' }]));
  expect(targetMenu.open).toBe(false);
  await waitFor(() => expect(document.querySelector('[data-transfer]')?.textContent).toMatch(/Sanne Visser.*Voicemail, aangenomen/s));
});

it('consults at the mobile with Enter, sends there with Ctrl+Enter, and closes with Esc', async () => {
  const host = await open();
  const call = await talk(host);
  type('sanne');
  await screen.findByRole('option', { name: /Sanne Visser/, selected: true });
  press('d', D);
  await waitFor(() => expect(targetMenu.open).toBe(true));
  press('Escape');
  expect(targetMenu.open).toBe(false);
  expect(host.view.calls.find((one) => one.id === call)?.state).toBe('active');
  press('d', D);
  await waitFor(() => expect(targetMenu.open).toBe(true));
  // The second is highlighted: the line is what Enter is for without a menu.
  press('Enter');
  await waitFor(() => expect(sent(host, 'call.transfer.consult')).toEqual([{ cmd: 'call.transfer.consult', call, to: '0612345610' }]));
  await screen.findByText(/Sanne Visser \(mobiel\) gaat over/);
});

it('goes to the voicemail by one key, and says so where there is none', async () => {
  const host = await open();
  const call = await talk(host);
  type('0612345678');
  press('v', { altKey: true, code: 'KeyV' });
  await screen.findByText(nl.targets.noVoicemail('0612345678'), { selector: '[role="status"]' });
  expect(sent(host, 'call.transfer.blind')).toHaveLength(0);
  type('202');
  await screen.findByRole('option', { name: /Tom de Boer/, selected: true });
  press('v', { altKey: true, code: 'KeyV' });
  await waitFor(() => expect(sent(host, 'call.transfer.blind')).toEqual([{ cmd: 'call.transfer.blind', call, to: '*55202' }]));
});

it('parks at the chosen one, and the list says where', async () => {
  const host = await open();
  const call = await talk(host);
  type('202');
  await screen.findByRole('option', { name: /Tom de Boer/, selected: true });
  press('d', D);
  await waitFor(() => expect(targetMenu.open).toBe(true));
  press('3');
  await waitFor(() => expect(sent(host, 'call.park')).toEqual([{ cmd: 'call.park', call, slot: '202' }]));
  await waitFor(() => expect(document.querySelector('[data-transfer]')?.textContent).toMatch(/Tom de Boer.*geparkeerd/s));
});
