// What is listed while one types: whoever stood there until the first results come, the first results with the key, and the rest in steps.

import { waitFor } from '@testing-library/svelte';
import { afterEach, expect, it, vi } from 'vitest';
import type { SearchHit } from '../../bindings';
import { leave, open, press, tiles, type } from '../../views/harness';
import { theSearch } from './current';
import { Shown } from './model.svelte';

afterEach(() => {
  vi.restoreAllMocks();
  leave();
});

const hit = (place: number): SearchHit => ({ kind: 'contact', name: `Klant ${place}`, target: `06110000${place}`, detail: '' }) as SearchHit;
const names = (): string[] => tiles().map((tile) => tile.querySelector('.name')?.textContent ?? '');

/** The page, and the searches it asked, to be answered by hand. */
async function answered(): Promise<((hits: SearchHit[]) => void)[]> {
  const host = await open({ people: 200 });
  const answers: ((hits: SearchHit[]) => void)[] = [];
  const real = host.control.bind(host);
  vi.spyOn(host, 'control').mockImplementation(((command: { cmd: string }) =>
    command.cmd === 'contacts.search' ? new Promise((done) => answers.push(done)) : real(command as never)) as never);
  return answers;
}

it('keeps whoever is listed until the first results, and the tiles themselves after', async () => {
  const answers = await answered();
  const [before, first] = [names(), tiles()[0]];
  type('k');
  await waitFor(() => expect(answers).toHaveLength(1));
  expect(names()).toEqual(before);
  // A screen reader hears that what is listed is no answer yet; so does whoever measures.
  const busy = (): string | null | undefined => document.querySelector('[role="listbox"]')?.getAttribute('aria-busy');
  expect(busy()).toBe('true');
  answers[0]?.([hit(1), hit(2)]);
  await waitFor(() => expect(names()[0]).toBe('Klant 1'));
  expect(tiles()[0]).toBe(first);
  expect(busy()).toBe('false');
});

it('shows the first results at once and the others in steps, and tells of the highlighted one when one rests', async () => {
  const answers = await answered();
  type('klant');
  await waitFor(() => expect(answers).toHaveLength(1));
  const many = Array.from({ length: 40 }, (_, place) => hit(place + 1));
  const told = (): string => document.querySelector('.about')?.textContent ?? '';
  answers[0]?.(many);
  await waitFor(() => expect(theSearch()?.shown).toBe(Shown.First));
  expect(names().slice(0, 12)).toEqual(many.slice(0, 12).map(({ name }) => name));
  expect(names()[12]).not.toMatch(/Klant/);
  expect(told()).not.toContain('Klant 1');
  // What Enter would be about is known at once.
  expect(theSearch()?.target).toBe('061100001');
  await waitFor(() => expect(theSearch()?.shown).toBe(Shown.Whole));
  expect(names()).toEqual(many.map(({ name }) => name));
  await waitFor(() => expect(told()).toContain('Klant 1'));
});

it('does not wait for what nobody sees any more: the next letter counts anew, an empty field shows everybody', async () => {
  const answers = await answered();
  const everybody = names();
  type('k');
  await waitFor(() => expect(answers).toHaveLength(1));
  answers[0]?.([hit(1)]);
  await waitFor(() => expect(theSearch()?.shown).toBe(Shown.First));
  type('kl');
  await waitFor(() => expect(answers).toHaveLength(2));
  // The same answer: nothing is shown anew.
  answers[1]?.([hit(1)]);
  await waitFor(() => expect(theSearch()?.settled).toBe(true));
  press('Escape');
  await waitFor(() => expect(theSearch()?.shown).toBe(Shown.Whole));
  expect(names()).toEqual(everybody);
});

it('shows all of them to whoever moves on to one', async () => {
  const answers = await answered();
  type('klant');
  await waitFor(() => expect(answers).toHaveLength(1));
  answers[0]?.(Array.from({ length: 40 }, (_, place) => hit(place + 1)));
  await waitFor(() => expect(theSearch()?.shown).toBe(Shown.First));
  press('ArrowDown');
  await waitFor(() => expect(names()[12]).toBe('Klant 13'));
  expect(document.querySelector('.about')?.textContent).toMatch(/Klant/);
});
