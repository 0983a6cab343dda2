// The desktop around the page: keys that work everywhere, starting at login, what was clicked elsewhere.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { TAKEN } from '../../host/mock/desktop';
import { nl } from '../../i18n/nl';
import { ui } from '../../shared/ui.svelte';
import { leave, open, press, sent, violations } from '../../views/harness';

afterEach(leave);

const row = (name: string): HTMLButtonElement => {
  const found = document.querySelector<HTMLButtonElement>(`[data-hotkey="${name}"] > button`);
  if (found === null) throw new Error(`no key ${name}`);
  return found;
};

describe('keys that work everywhere', () => {
  it('are asked for by a press, say who has them, and go by Delete', async () => {
    const host = await open();
    ui.overlay = 'keys';
    await screen.findByRole('region', { name: nl.desktop.everywhere });
    row('answer').click();
    await waitFor(() => expect(row('answer').textContent).toContain(nl.keys.press));
    row('answer').focus();
    press('a');
    await screen.findByText(new RegExp(nl.desktop.refused.plain));
    press('t', { ctrlKey: true, altKey: true });
    await screen.findByText(nl.desktop.taken);
    expect(host.hotkeys().answer).toBe(TAKEN);
    row('answer').click();
    row('answer').focus();
    press('F9');
    await waitFor(() => expect(host.hotkeys().answer).toBe('F9'));
    await waitFor(() => expect(screen.queryByText(nl.desktop.taken)).toBeNull());
    expect(await violations()).toEqual([]);
    row('answer').click();
    row('answer').focus();
    press('Delete');
    await waitFor(() => expect(host.hotkeys().answer).toBe(''));
  });
});

describe('starting at login', () => {
  it('is a switch that shows what the desktop says', async () => {
    await open();
    ui.overlay = 'view';
    const at = await screen.findByRole('switch', { name: nl.desktop.atLogin });
    expect(at.getAttribute('aria-checked')).toBe('false');
    at.click();
    await waitFor(() => expect(at.getAttribute('aria-checked')).toBe('true'));
  });
});

describe('what was clicked elsewhere', () => {
  it('lies ready in the search field, is said, and is dialled by hand only', async () => {
    const host = await open();
    host.prepare('+31301234567');
    const field = await screen.findByRole<HTMLInputElement>('combobox', { name: /Zoek/ });
    await waitFor(() => expect(field.value).toBe('+31301234567'));
    expect(document.activeElement).toBe(field);
    expect(ui.said).toBe(nl.desktop.prepared('+31301234567', 'Enter'));
    expect(sent(host, 'desk.prepared_taken')).toHaveLength(1);
    expect(sent(host, 'call.dial')).toHaveLength(0);
    press('Enter');
    await waitFor(() => expect(sent(host, 'call.dial')).toMatchObject([{ to: '+31301234567' }]));
  });
});
