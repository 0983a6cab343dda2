// Both meters: the microphone's and that of what is played, each with its own word.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import { leave, open, sent, violations } from '../../views/harness';

afterEach(leave);

it('shows the microphone and what is heard, each by itself', async () => {
  const host = await open();
  const meter = (name: string): HTMLElement => screen.getByRole('meter', { name });
  const shown = (name: string): (string | null)[] => ['aria-valuenow', 'aria-valuetext'].map((one) => meter(name).getAttribute(one));
  await screen.findByRole('meter', { name: 'Niveau van wat u hoort' });
  for (const [microphone, speaker, heard, played] of [
    [0, 0, ['0', 'stil'], ['0', 'stil']],
    [0.5, 0, ['50', 'hoort u'], ['0', 'stil']],
    [0, 0.4, ['0', 'stil'], ['40', 'speelt af']],
    [1, 0.95, ['100', 'te hard'], ['95', 'te hard']],
  ] as const) {
    host.levels({ microphone, speaker });
    await waitFor(() => expect(shown('Microfoonniveau')).toEqual(heard));
    expect(shown('Niveau van wat u hoort')).toEqual(played);
  }
  expect(await violations()).toEqual([]);
  // One who asks for both: neither meter takes the levels from the other.
  expect(sent(host, 'levels.watch')).toEqual([{ cmd: 'levels.watch', on: true }]);
});
