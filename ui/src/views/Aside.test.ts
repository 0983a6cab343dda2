// What is done beside the calls by one key, from wherever one is: the missed calls, and a note about somebody.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { nl } from '../i18n/nl';
import { layout } from '../shared/layout.svelte';
import { fill, leave, open, press, sent, talk, type } from './harness';

afterEach(leave);

const missed = (): void => press('M', { altKey: true, shiftKey: true, code: 'KeyM' });
const note = (): void => press('T', { altKey: true, shiftKey: true, code: 'KeyT' });
/** The field with the focus, when something can be noted in it; and in which pane it stands. */
const noting = (pane: string): HTMLInputElement | null => {
  const field = document.activeElement;
  return field instanceof HTMLInputElement && field.matches(`[data-pane="${pane}"] [data-note]`) ? field : null;
};

async function highlight(text: string, name: RegExp): Promise<void> {
  type(text);
  await waitFor(() => screen.getByRole('option', { name, selected: true }));
}

describe('the missed calls', () => {
  it('come up with one key, from another page too, and the first one can be called back', async () => {
    const host = await open({ link: 'live' });
    layout.fold('history');
    press('5', { ctrlKey: true, code: 'Digit5' });
    await waitFor(() => expect(document.querySelector('.pane.page')).not.toBeNull());
    missed();
    const back = await screen.findByRole('button', { name: 'Bel Garage Jansen terug' });
    await waitFor(() => expect(document.activeElement).toBe(back));
    expect(document.querySelector('.pane.page')).toBeNull();
    expect(document.querySelectorAll('[data-outcome]')).toHaveLength(1);
    expect(sent(host, 'call.dial')).toHaveLength(0);
    back.click();
    await waitFor(() => expect(sent(host, 'call.dial')).toHaveLength(1));
  });

  it('are none where none were missed, and that is where the keyboard stands', async () => {
    const host = await open();
    host.change({ history: [], missed: 0 });
    missed();
    await screen.findByText(nl.history.emptyMissed);
    await waitFor(() => expect(document.activeElement?.textContent).toBe(nl.history.onlyMissed));
    expect(document.activeElement?.getAttribute('aria-pressed')).toBe('true');
  });
});

describe('a note', () => {
  it('is about the chosen one, without waiting until he rests, and Esc leads back with what was typed', async () => {
    const host = await open();
    layout.fold('contact');
    await highlight('bakk', /Piet Bakker/);
    note();
    const field = await waitFor(() => noting('contact') ?? expect.fail('no field'));
    expect(document.querySelector('[data-pane="contact"] .name')?.textContent).toBe('Piet Bakker');
    fill(field, 'Belt terug');
    press('Escape');
    await waitFor(() => expect(document.activeElement?.getAttribute('role')).toBe('combobox'));
    expect([field.value, field.isConnected]).toEqual(['Belt terug', true]);
    note();
    await waitFor(() => expect(noting('contact')).toBe(field));
    field.form?.requestSubmit();
    await waitFor(() => expect(sent(host, 'note.add')).toEqual([{ cmd: 'note.add', number: '212', text: 'Belt terug' }]));
  });

  it('is about the caller while nobody is chosen, from another page too', async () => {
    const host = await open({ link: 'live' });
    await talk(host);
    press('5', { ctrlKey: true, code: 'Digit5' });
    await waitFor(() => expect(document.querySelector('.pane.page')).not.toBeNull());
    note();
    await waitFor(() => expect(noting('caller')).not.toBeNull());
    await highlight('bakk', /Piet Bakker/);
    note();
    await waitFor(() => expect(noting('contact')).not.toBeNull());
  });

  it('is about somebody: with nobody that is said, and no pane is brought for it', async () => {
    await open();
    layout.changeOwn({ panes: ['contact'] });
    note();
    await screen.findByText(nl.contacts.noteOfNobody, { selector: '[role="status"]' });
    expect(layout.own.panes).toEqual(['contact']);
  });
});
