// Every word that is seen or read out comes from the texts: in a language that is nowhere, with each text in brackets and two fifths longer,
// whatever stands outside brackets is a name, a number, a key or a date, or it is text in code.

import { waitFor } from '@testing-library/svelte';
import { afterEach, expect, it, vi } from 'vitest';
import { MockHost } from '../host/mock';
import { ui } from '../shared/ui.svelte';
import { leave, open, press, type } from './harness';
import QueuesWindow from './QueuesWindow.svelte';
import LinesWindow from './LinesWindow.svelte';
import Wallboard from './Wallboard.svelte';
import Incoming from './Incoming.svelte';

vi.mock('../i18n', async (original) => {
  const real = await original<typeof import('../i18n')>();
  const { nl } = await import('../i18n/nl');
  const longer = (text: string): string => (text === '' ? '' : `⟦${text}${'~'.repeat(Math.ceil(text.length * 0.4))}⟧`);
  const pseudo = (value: unknown, name = ''): unknown => {
    if (typeof value === 'string') return name === 'locale' ? value : longer(value);
    if (typeof value === 'function') return (...args: unknown[]) => pseudo((value as (...of: unknown[]) => unknown)(...args));
    if (Array.isArray(value)) return value.map((one) => pseudo(one));
    if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, pseudo(of, key)]));
    return value;
  };
  const texts = pseudo(nl);
  return { ...real, messagesFor: () => texts };
});

afterEach(leave);

/** Everything that the program answered. */
const answers: unknown[] = [];
const { control } = MockHost.prototype;
vi.spyOn(MockHost.prototype, 'control').mockImplementation(async function (this: MockHost, command) {
  const answer = await control.call(this, command);
  answers.push(answer);
  return answer;
} as typeof control);

/** Names of days, months and units as the system writes them. */
const WORDS = new Set(
  [...Array.from({ length: 12 }, (_, month) => new Date(2026, month, month + 1))].flatMap((day) =>
    ['short', 'long'].flatMap((length) => new Intl.DateTimeFormat('nl-NL', { weekday: length as 'short', month: length as 'short' }).format(day).split(/[^\p{L}]+/u)),
  ).concat('sec', 'min', 'uur', 'u', 'ms', 'kB', 'MB'),
);

/** Countries as the system names them, languages by their codes, and what stands on keys: the same in every language. */
const NAMES = new Set(['NL', 'EN', 'Alt', 'Ctrl', 'Control', 'Shift', 'Meta', 'Enter', 'Esc', 'Escape', 'Delete', 'Insert', 'Home', 'End', 'Space', 'Tab']);
const countries = new Intl.DisplayNames('nl-NL', { type: 'region' });
for (const first of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') {
  for (const second of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') for (const word of (countries.of(first + second) ?? '').split(/[^\p{L}]+/u)) NAMES.add(word);
}

/** What is not in brackets, of something shown. */
function bare(text: string): string {
  let [before, now] = ['', text];
  while (before !== now) [before, now] = [now, now.replaceAll(/⟦[^⟦⟧]*⟧/gu, ' ')];
  return now;
}

/** Everything that a page shows or names. */
function shown(): string[] {
  const texts: string[] = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node !== null; node = walk.nextNode()) {
    if (node instanceof Element) {
      for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-valuetext', 'aria-roledescription']) texts.push(node.getAttribute(name) ?? '');
    } else if (node.parentElement?.closest('kbd, script, style') === null) {
      texts.push(node.textContent ?? '');
    }
  }
  return texts;
}

/** Words in code: what is neither a text, nor anything that the program told, nor a date. */
function inCode(host: MockHost): string[] {
  const told = JSON.stringify([host.view, host.company.centre, host.company.queues, answers]);
  return [...new Set(shown().flatMap((text) => bare(text).split(/[^\p{L}]+/u)))].filter(
    (word) => word.length > 1 && !WORDS.has(word) && !NAMES.has(word) && !told.includes(word),
  );
}

it('tells a text in code from all others', async () => {
  const host = await open();
  expect(document.body.textContent).toContain('⟦');
  const stray = document.body.appendChild(document.createElement('p'));
  stray.textContent = 'Zomaar een tekst';
  expect(inCode(host)).toEqual(expect.arrayContaining(['Zomaar', 'tekst']));
  stray.remove();
});

it('finds none at the desk, in calls, in transfers and in a search', async () => {
  const host = await open({ link: 'live' });
  expect(inCode(host)).toEqual([]);
  host.ring();
  host.ring();
  await waitFor(() => expect(document.querySelectorAll('[data-ringing]').length).toBe(2));
  expect(inCode(host)).toEqual([]);
  press('F2');
  await waitFor(() => expect(host.view.calls.some(({ state }) => state === 'active')).toBe(true));
  expect(inCode(host)).toEqual([]);
  type('bakk');
  await waitFor(() => expect(document.querySelector('[aria-selected="true"]')).not.toBeNull());
  press('Enter');
  await waitFor(() => expect(host.view.calls.length).toBeGreaterThan(2));
  expect(inCode(host)).toEqual([]);
});

it('finds none in what is opened over it and beside it', async () => {
  const host = await open({ link: 'live' });
  for (const overlay of ['keys', 'account', 'view', 'agent', 'night'] as const) {
    ui.overlay = overlay;
    await waitFor(() => expect(document.querySelector('dialog[open], .panel:not([hidden])')).not.toBeNull());
    expect(inCode(host), overlay).toEqual([]);
  }
  ui.overlay = null;
  for (const page of ['supervisor', 'wallboard', 'services', 'contacts'] as const) {
    ui.page = page;
    await waitFor(() => expect(document.querySelector('.pane.page')).not.toBeNull());
    expect(inCode(host), page).toEqual([]);
    expect(ui.page).toBe(page);
  }
});

it('finds none at the first start, in trouble and in windows of their own', async () => {
  const setup = await open({ setup: true });
  expect(inCode(setup)).toEqual([]);
  leave();
  const lost = await open({ lost: true, link: 'lost', notices: ['no_audio_device', 'store_damaged'] });
  expect(inCode(lost)).toEqual([]);
  leave();
  for (const page of [QueuesWindow, LinesWindow, Wallboard, Incoming]) {
    const host = await open({ link: 'live', ring: true }, page);
    expect(document.body.textContent).toContain('⟦');
    expect(inCode(host)).toEqual([]);
    leave();
  }
});
