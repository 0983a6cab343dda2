// Whatever a caller calls himself is text: nothing of it becomes an element, an attribute or an address.

import { screen, waitFor } from '@testing-library/svelte';
import type { Component } from 'svelte';
import { afterEach, expect, it } from 'vitest';
import App from '../../views/App.svelte';
import Incoming from '../../views/Incoming.svelte';
import { leave, open, violations } from '../../views/harness';

afterEach(leave);

const NAMES = [
  '<img src=x onerror="window.owned=1">',
  '<script>window.owned=1</script>',
  '"><svg onload=window.owned=1>',
  '$(touch x) `id` ; rm -rf ~',
  "' onmouseover='window.owned=1",
  'javascript:window.owned=1',
  '{@html name} {{name}} ${name}',
];
const PAGES: [string, Component][] = [['the desk', App], ['the pop-up', Incoming]];

it.each(PAGES)('shows hostile names on %s as they are written', async (_, page) => {
  const host = await open({}, page);
  const id = host.ring();
  for (const name of NAMES) {
    host.change({ calls: host.view.calls.map((one) => (one.id === id ? { ...one, peer: { ...one.peer, name, contacts: [] } } : one)) });
    await waitFor(() => expect(screen.getAllByText((_text, element) => element?.textContent?.trim() === name).length).toBeGreaterThan(0));
    expect(document.querySelector('img[src="x"], script, [onerror], [onload], [onmouseover], [href^="javascript:"]')).toBeNull();
  }
  expect((window as unknown as { owned?: number }).owned).toBeUndefined();
  expect(await violations()).toEqual([]);
});
