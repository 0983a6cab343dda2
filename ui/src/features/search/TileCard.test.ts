// A tile tells of whom the pointer rests on, and a queue's tile how it stands.

import { waitFor } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import { nl } from '../../i18n/nl';
import { leave, open, press, tiles, type, violations } from '../../views/harness';

afterEach(leave);

function point(name: RegExp): void {
  const tile = tiles().find((one) => name.test(one.textContent ?? ''));
  if (tile === undefined) throw new Error(`no tile ${String(name)}`);
  const event = new MouseEvent('pointerover', { bubbles: true });
  Object.defineProperty(event, 'pointerType', { value: 'mouse' });
  tile.dispatchEvent(event);
}
const card = (): HTMLElement | null => document.querySelector('[data-card]');

it('shows all numbers beside a tile that the pointer rests on, and goes with any key', async () => {
  await open();
  point(/Sanne Visser/);
  await waitFor(() => expect(card()?.textContent).toMatch(/Sanne Visser.*Verkoop.*Mobiel.*0612345610.*Voicemail/s));
  // She was called eleven minutes ago.
  expect(card()?.textContent).toContain(nl.caller.earlier);
  expect(await violations()).toEqual([]);
  press('Escape');
  await waitFor(() => expect(card()).toBeNull());
});

it('says of a queue in words whether it is night and who waits', async () => {
  const host = await open({ link: 'live' });
  type('support');
  const tile = (): string => tiles().find((one) => one.textContent?.includes('Support') === true)?.textContent ?? '';
  await waitFor(() => expect(tile()).toMatch(/\d+ wacht/));
  host.company.changeQueue('support', () => ({ night: true }));
  await waitFor(() => expect(tile()).toContain(nl.night.on));
});
