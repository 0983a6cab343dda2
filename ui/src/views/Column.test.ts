// The right column follows whoever is chosen: scrolled down, it comes back to his card, and else it stays where it is.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, it, vi } from 'vitest';
import { leave, open, type } from './harness';

afterEach(() => {
  vi.restoreAllMocks();
  leave();
});

const HEIGHT = 500;
/** Where the card lies in the column, and how high it is, pixels. */
const CARD = { top: 300, height: 200 };

const rect = (top: number, height: number): DOMRect => ({ top, bottom: top + height, height, left: 0, right: 300, width: 300, x: 0, y: top, toJSON: () => null });

/** The column, with sizes as a browser would give them. */
async function column(): Promise<HTMLElement> {
  await open();
  const found = document.querySelector<HTMLElement>('.pane.about');
  if (found === null) throw new Error('no column');
  vi.spyOn(Element.prototype, 'getBoundingClientRect').mockImplementation(function of(this: Element) {
    if (this === found) return rect(0, HEIGHT);
    return this instanceof HTMLElement && this.dataset.pane === 'contact' ? rect(CARD.top - found.scrollTop, CARD.height) : rect(0, 0);
  });
  return found;
}

async function choose(text: string, name: RegExp): Promise<void> {
  type(text);
  await waitFor(() => screen.getByRole('option', { name, selected: true }));
  await waitFor(() => expect(document.querySelector('[data-pane="contact"] .name')?.textContent).toMatch(name));
}

it('comes back to the card of another one who is chosen', async () => {
  const about = await column();
  about.scrollTop = 900;
  await choose('bakk', /Piet Bakker/);
  await waitFor(() => expect(about.scrollTop).toBe(CARD.top));
  // Whoever then reads on in it is left alone as long as the same one is meant.
  about.scrollTop = 700;
  await choose('bakker', /Piet Bakker/);
  expect(about.scrollTop).toBe(700);
});

it('stays where the card is in sight already, and where nothing was scrolled', async () => {
  const about = await column();
  await choose('bakk', /Piet Bakker/);
  expect(about.scrollTop).toBe(0);
  about.scrollTop = 120;
  await choose('vis', /Visser/);
  expect(about.scrollTop).toBe(120);
});
