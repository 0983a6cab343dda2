// The lock of a call says in a sentence who can listen along, to hand, key and screen reader alike, in its card and in the bar.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import type { CallView, Encryption } from '../../bindings';
import { leave, open, press, talk, type, violations } from '../../views/harness';

afterEach(leave);

const STATES: [Encryption, CallView['secure'], string, RegExp][] = [
  ['unknown', false, 'Versleuteling onbekend', /Een ander toestel voert dit gesprek/],
  ['none', false, 'Niet versleuteld', /Wie op het netwerk .* meekijkt, kan meeluisteren/],
  ['keys_exposed', true, 'Versleuteld, sleutels onbeschermd', /gingen onbeschermd over het netwerk/],
  ['exchange', true, 'Versleuteld tot de centrale', /uw centrale: die kan meeluisteren/],
  ['ends', true, 'Versleuteld tussen de uiteinden', /Alleen de twee uiteinden .* centrale, dan is zij zo’n uiteinde/],
];

it.each(STATES)('%s', async (encryption, secure, word, who) => {
  const host = await open();
  await talk(host);
  host.change({ calls: host.view.calls.map((call) => ({ ...call, encryption, secure })) });
  const fold = await waitFor(() => {
    const found = document.querySelector<HTMLDetailsElement>(`[data-lock="${encryption}"]`);
    if (found === null) throw new Error('no lock');
    return found;
  });
  const summary = fold.querySelector('summary');
  expect(summary?.textContent).toBe(word);
  expect(fold.querySelector('p')?.textContent).toMatch(who);
  expect(fold.open).toBe(false);
  // A summary is worked by the keyboard; what it opens is text, not a tip of the mouse.
  summary?.focus();
  expect(document.activeElement).toBe(summary);
  summary?.click();
  expect(fold.open).toBe(true);
  const bar = screen.getByRole('contentinfo');
  expect(bar.textContent).toContain(word);
  expect(bar.textContent).toMatch(who);
  expect(await violations()).toEqual([]);
});

it('stands with the figures on the card of a consultation too, for the one who is heard', async () => {
  const host = await open();
  const caller = await talk(host);
  type('203');
  await waitFor(() => screen.getByRole('option', { name: /Eva Mulder/, selected: true }));
  press('Enter');
  const card = (): HTMLElement | null => document.querySelector<HTMLElement>('[data-flow]');
  await waitFor(() => expect(card()?.dataset.flow).toBe('consulting'));
  host.change({ calls: host.view.calls.map((call) => ({ ...call, encryption: call.id === caller ? 'none' : 'ends', secure: call.id !== caller })) });
  await waitFor(() => expect(card()?.querySelector('[data-lock="ends"]')?.textContent).toMatch(/Alleen de twee uiteinden/));
  expect(card()?.querySelectorAll('[data-lock]')).toHaveLength(1);
  const figures = card()?.querySelector<HTMLDetailsElement>('[data-part="figures"]');
  figures?.querySelector('summary')?.click();
  expect(figures?.open).toBe(true);
  press('F6');
  await waitFor(() => expect(card()?.dataset.flow).toBe('with_caller'));
  await waitFor(() => expect(card()?.querySelector('[data-lock="none"]')).not.toBeNull());
  // What was unfolded of it stays so from one to the other.
  expect(card()?.querySelector<HTMLDetailsElement>('[data-part="figures"]')?.open).toBe(true);
  expect(await violations()).toEqual([]);
});
