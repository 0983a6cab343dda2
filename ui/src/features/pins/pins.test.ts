// Pinned targets take another order by Alt and an arrow, from the bar and from the field, and by a drag; the number key follows, and all is kept.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import type { MockHost } from '../../host/mock';
import { nl } from '../../i18n/nl';
import { Layout, layout } from '../../shared/layout.svelte';
import { leave, open, press, sent, violations } from '../../views/harness';

afterEach(leave);

const NAMES = ['Kim', 'Eva', 'Tom'];

/** The page with three pins, which nobody listed is. */
async function pinned(): Promise<MockHost> {
  const host = await open();
  layout.change({ pins: NAMES.map((name, place) => ({ name, target: `90${place}`, line: '', account: '' })) });
  await waitFor(() => expect(bar()).toHaveLength(3));
  return host;
}

const bar = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('[data-pin]')];
const names = (): string[] => bar().map((pin) => pin.querySelector('.ellipsis')?.textContent ?? '');
const pin = (name: string): HTMLElement => screen.getByRole('button', { name: new RegExp(name) });
const said = (words: string): Promise<HTMLElement> => screen.findByText(words, { selector: '[role="status"]' });

it('take another order by Alt and an arrow, and keep the focus', async () => {
  const host = await pinned();
  pin('Tom').focus();
  press('ArrowLeft', { altKey: true });
  await waitFor(() => expect(names()).toEqual(['Kim', 'Tom', 'Eva']));
  await said(nl.pins.moved('Tom', 2));
  await waitFor(() => expect(document.activeElement).toBe(pin('Tom')));
  press('ArrowUp', { altKey: true });
  await waitFor(() => expect(names()).toEqual(['Tom', 'Kim', 'Eva']));
  await waitFor(() => expect(document.activeElement).toBe(pin('Tom')));
  // At the first place it stays.
  press('ArrowLeft', { altKey: true });
  await said(nl.pins.moved('Tom', 1));
  expect(names()).toEqual(['Tom', 'Kim', 'Eva']);
  // An arrow without Alt moves none.
  press('ArrowRight');
  expect(names()).toEqual(['Tom', 'Kim', 'Eva']);
  expect(new Layout().choices.pins.map(({ name }) => name)).toEqual(['Tom', 'Kim', 'Eva']);
  expect(await violations()).toEqual([]);
  press('!', { ctrlKey: true, shiftKey: true, code: 'Digit1' });
  await waitFor(() => expect(sent(host, 'call.dial')).toMatchObject([{ to: '902' }]));
});

it('move as well while one of them is chosen and the field has the focus', async () => {
  await pinned();
  pin('Kim').click();
  await waitFor(() => expect(document.activeElement?.getAttribute('role')).toBe('combobox'));
  press('ArrowRight', { altKey: true });
  await waitFor(() => expect(names()).toEqual(['Eva', 'Kim', 'Tom']));
  await said(nl.pins.moved('Kim', 2));
  expect(document.activeElement?.getAttribute('role')).toBe('combobox');
  expect(pin('Kim').getAttribute('aria-pressed')).toBe('true');
  // With nobody chosen the arrows are the page's.
  press('Escape');
  press('ArrowRight', { altKey: true });
  expect(names()).toEqual(['Eva', 'Kim', 'Tom']);
});

it('take the place of the one that they are dropped on', async () => {
  await pinned();
  let under: Element | null = null;
  document.elementFromPoint = () => under;
  const pointer = (target: EventTarget, name: string, x: number): void => {
    const event = new MouseEvent(name, { bubbles: true, cancelable: true, clientX: x, clientY: 5 });
    Object.defineProperty(event, 'isPrimary', { value: true });
    target.dispatchEvent(event);
  };
  pointer(pin('Kim').querySelector('.ellipsis') as Element, 'pointerdown', 5);
  under = pin('Tom');
  pointer(window, 'pointermove', 90);
  await waitFor(() => expect(pin('Tom').classList.contains('over')).toBe(true));
  expect(document.querySelector('.ghost')?.textContent).toBe('Kim');
  pointer(window, 'pointerup', 90);
  await waitFor(() => expect(names()).toEqual(['Eva', 'Tom', 'Kim']));
  expect(new Layout().choices.pins.map(({ name }) => name)).toEqual(['Eva', 'Tom', 'Kim']);
  // Let go over somebody who is no pin, it stays.
  pointer(pin('Eva'), 'pointerdown', 5);
  under = document.querySelector('[role="option"]');
  pointer(window, 'pointermove', 90);
  pointer(window, 'pointerup', 90);
  expect(names()).toEqual(['Eva', 'Tom', 'Kim']);
});

it('say so in the overview of keys', async () => {
  await pinned();
  press('F1');
  await screen.findByText(nl.keys.arrangePins);
});
