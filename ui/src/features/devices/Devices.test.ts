// The headset: its name in the bar, and whether its keys are used.

import { screen, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, expect, it } from 'vitest';
import { leave, open, sent, violations } from '../../views/harness';

afterEach(leave);

it('is named in the bar, and left alone when that is wanted', async () => {
  const host = await open({});
  expect(await screen.findByText('Headset: Jabra Evolve2')).toBeTruthy();
  const keys = await screen.findByRole('checkbox', { name: 'Bellen met de knoppen van de headset' });
  expect(await violations()).toEqual([]);
  keys.click();
  expect(sent(host, 'headset.set')).toEqual([{ cmd: 'headset.set', on: false }]);
  await waitFor(() => expect(screen.queryByText('Headset: Jabra Evolve2')).toBeNull());
  expect(screen.queryByRole('combobox', { name: 'Welke headset' })).toBeNull();
});

it('says so when another program has it', async () => {
  const host = await open({});
  const { audio } = host.view;
  host.change({ audio: { ...audio, headset: { ...audio.headset, used: null, trouble: 'headset_in_use' } } });
  await tick();
  await waitFor(() => expect(screen.getAllByText(/Een ander programma gebruikt uw headset/).length).toBeGreaterThan(1));
  expect(await violations()).toEqual([]);
});

it('rings on several devices at once, and alerts sound where they are wanted', async () => {
  const host = await open({});
  const rings = (name: string): HTMLInputElement => screen.getByRole('checkbox', { name });
  expect(await screen.findByRole('group', { name: 'Gaat over op' })).toBeTruthy();
  expect([rings('Luidsprekers').checked, rings('Jabra Evolve2 65 Mono').checked]).toEqual([true, false]);
  rings('Jabra Evolve2 65 Mono').click();
  await waitFor(() => expect(rings('Jabra Evolve2 65 Mono').checked).toBe(true));
  const alerts: HTMLSelectElement = screen.getByRole('combobox', { name: 'Wisselgesprek en meldingen' });
  alerts.value = 's';
  alerts.dispatchEvent(new Event('change', { bubbles: true }));
  await waitFor(() => expect(host.view.audio.alerts).toBe('s'));
  expect(sent(host, 'devices.set')).toEqual([
    { cmd: 'devices.set', input: null, output: null, ringer: ['s', 'h'], alerts: null },
    { cmd: 'devices.set', input: null, output: null, ringer: ['s', 'h'], alerts: 's' },
  ]);
  expect(await violations()).toEqual([]);
  rings('Luidsprekers').click();
  rings('Jabra Evolve2 65 Mono').click();
  await waitFor(() => expect(screen.getAllByText(/Volg het systeem/).length).toBeGreaterThan(2));
});

it('lets queues and notices be heard or not', async () => {
  const host = await open({});
  const queues: HTMLInputElement = await screen.findByRole('checkbox', { name: 'Piep als een wachtrij over haar drempel gaat' });
  expect(queues.checked).toBe(true);
  queues.click();
  screen.getByRole('checkbox', { name: 'Piep bij een belangrijke melding' }).click();
  await waitFor(() => expect([host.view.audio.queue_alarms, host.view.audio.notice_sounds]).toEqual([false, false]));
  expect(sent(host, 'alerts.set')).toEqual([{ cmd: 'alerts.set', queues: false }, { cmd: 'alerts.set', notices: false }]);
});

it('keeps a ring device that is not there, and lets no more be chosen than can ring', async () => {
  const host = await open({});
  const { audio } = host.view;
  host.change({ audio: { ...audio, ringers: ['s', 'far'], most_ringers: 2 } });
  await tick();
  const far: HTMLInputElement = await screen.findByRole('checkbox', { name: 'far (niet aangesloten)' });
  expect(far.checked).toBe(true);
  const other: HTMLInputElement = screen.getByRole('checkbox', { name: 'Jabra Evolve2 65 Mono' });
  expect(other.disabled).toBe(true);
  expect(screen.getByText('Meer kan niet tegelijk')).toBeTruthy();
});
