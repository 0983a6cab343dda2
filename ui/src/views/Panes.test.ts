// Parts of the desk in windows of their own: how they are opened, and that they work by keyboard there.

import { screen, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, expect, it } from 'vitest';
import { layout } from '../shared/layout.svelte';
import { leave, open, press, sent, type, violations } from './harness';
import LinesWindow from './LinesWindow.svelte';
import QueuesWindow from './QueuesWindow.svelte';

afterEach(leave);

it('are opened from the queues and from the colleagues', async () => {
  const host = await open({ link: 'live' });
  document.querySelector<HTMLElement>('[data-act="queues-apart"]')?.click();
  document.querySelector<HTMLElement>('[data-act="lines-apart"]')?.click();
  expect(host.panes).toEqual(['queues', 'lines']);
});

it('belong to a role: the program is told which one is shown', async () => {
  const host = await open({ link: 'live' });
  expect(host.roles).toEqual(['receptionist']);
  layout.change({ role: 'agent' });
  await waitFor(() => expect(host.roles).toEqual(['receptionist', 'agent']));
  layout.fold('sound');
  await tick();
  expect(host.roles).toHaveLength(2);
  layout.change({ role: 'receptionist' });
});

it('shows the queues, and closes', async () => {
  const host = await open({ link: 'live' }, QueuesWindow);
  await screen.findByText('Verkoop');
  expect(document.querySelector('[data-act="queues-apart"]')).toBeNull();
  expect(await violations()).toEqual([]);
  document.querySelector<HTMLElement>('[data-act="close"]')?.click();
  await waitFor(() => expect(host.window.closed).toBe(true));
});

it('calls a colleague from his own window with the same keys', async () => {
  const host = await open({}, LinesWindow);
  type('bakk');
  await waitFor(() => screen.getByRole('option', { name: /Piet Bakker/, selected: true }));
  expect(await violations()).toEqual([]);
  press('Enter');
  await waitFor(() => expect(sent(host, 'call.dial')).toEqual([{ cmd: 'call.dial', to: '212' }]));
});
