// Parts of the desk in windows of their own: how they are opened, and that they work by keyboard there.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
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
