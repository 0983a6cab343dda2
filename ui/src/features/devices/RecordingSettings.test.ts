// Recording on this computer: off at first, switched on and set here, its words and keys those of this computer.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import { nl } from '../../i18n/nl';
import { fill, leave, open, press, sent, talk, violations } from '../../views/harness';

afterEach(leave);

const t = nl.recording.here;

it('is off until it is switched on, and says that the other side hears it', async () => {
  const host = await open();
  const on = await screen.findByRole<HTMLInputElement>('checkbox', { name: t.on });
  expect(on.checked).toBe(false);
  expect(document.getElementById(on.getAttribute('aria-describedby') ?? '')?.textContent).toMatch(/De ander hoort een toon/);
  expect(screen.queryByLabelText(t.folder)).toBeNull();
  on.click();
  await screen.findByLabelText(t.folder);
  const format = screen.getByLabelText<HTMLSelectElement>(t.format);
  format.value = 'wav';
  format.dispatchEvent(new Event('change', { bubbles: true }));
  const days = screen.getByLabelText<HTMLInputElement>(t.days);
  days.value = '7';
  days.dispatchEvent(new Event('change', { bubbles: true }));
  await waitFor(() => expect(host.view.recording).toMatchObject({ enabled: true, format: 'wav', keep_days: 7 }));
  expect(sent(host, 'recording.set')).toEqual([
    { cmd: 'recording.set', enabled: true }, { cmd: 'recording.set', format: 'wav' }, { cmd: 'recording.set', keep_days: 7 },
  ]);
  expect(await violations()).toEqual([]);
});

it('says at its field what is no folder', async () => {
  const host = await open();
  host.change({ recording: { ...host.view.recording, enabled: true } });
  const folder = await screen.findByLabelText<HTMLInputElement>(t.folder);
  const set = (text: string): void => {
    fill(folder, text);
    folder.dispatchEvent(new Event('change', { bubbles: true }));
  };
  set('opnamen');
  await screen.findByText(t.wrong.folder);
  expect(folder.getAttribute('aria-invalid')).toBe('true');
  set('/srv/opnamen');
  await waitFor(() => expect(folder.getAttribute('aria-invalid')).toBe('false'));
  expect(host.view.recording.folder).toBe('/srv/opnamen');
});

it('has its keys in the list, and its own word when it fails', async () => {
  const host = await open();
  const listed = async (): Promise<boolean> => {
    press('F1');
    await screen.findByRole('dialog');
    const there = document.querySelector('[data-key="record"]') !== null;
    press('Escape');
    await waitFor(() => expect(document.querySelector('dialog')).toBeNull());
    return there;
  };
  expect(await listed()).toBe(false);
  host.change({ recording: { ...host.view.recording, enabled: true } });
  expect(await listed()).toBe(true);
  await talk(host);
  const fail = (): void => host.change({ calls: host.view.calls.map((call) => ({ ...call, recording: { state: 'failed', here: true, may: [] } })) });
  fail();
  await screen.findByText(nl.recording.failedHere);
  expect(screen.queryByText(nl.recording.states.failed)).toBeNull();
  host.company.change({ capabilities: [...host.company.centre.capabilities, 'recording'] });
  fail();
  await screen.findByText(nl.recording.states.failed);
});
