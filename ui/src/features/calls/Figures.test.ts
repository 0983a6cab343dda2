// The figures of a call's sound: what is known, both ways, and "unknown" for the rest.

import { waitFor } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import { leave, open, talk, violations } from '../../views/harness';

afterEach(leave);

const cells = (name: string): string[] =>
  [...document.querySelectorAll(`[data-figure="${name}"] td`)].map((cell) => cell.textContent);

it('says what is known and what is not', async () => {
  const host = await open();
  await talk(host);
  const fold = await waitFor(() => {
    const found = document.querySelector<HTMLDetailsElement>('[data-part="figures"]');
    if (found === null) throw new Error('no figures');
    return found;
  });
  fold.querySelector('summary')?.click();
  expect(fold.open).toBe(true);
  for (const name of ['mos', 'loss', 'jitter', 'delay']) expect(cells(name)).toEqual(['onbekend', 'onbekend']);
  for (const name of ['round-trip', 'buffer']) expect(cells(name)).toEqual(['onbekend']);
  const figures = {
    rx: { mos: 4.3, loss_percent: 0, jitter_ms: 5 }, tx: { mos: null, loss_percent: 2.5, jitter_ms: null },
    round_trip_ms: 80, buffer_ms: 40,
  };
  host.change({ calls: host.view.calls.map((call) => ({ ...call, figures, delay: { rx_ms: 120, tx_ms: null } })) });
  await waitFor(() => expect(cells('mos')).toEqual(['4,3', 'onbekend']));
  expect(cells('loss')).toEqual(['0 %', '2,5 %']);
  expect(cells('jitter')).toEqual(['5 ms', 'onbekend']);
  expect(cells('delay')).toEqual(['120 ms', 'onbekend']);
  expect([cells('round-trip'), cells('buffer')]).toEqual([['80 ms'], ['40 ms']]);
  expect(await violations()).toEqual([]);
});
