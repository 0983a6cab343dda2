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
