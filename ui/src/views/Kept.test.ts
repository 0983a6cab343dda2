// What the user keeps at the exchange: messages of the voicemail and own numbers, by names and by keyboard.

import { screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { MockHost } from '../host/mock';
import { HostError } from '../host/types';
import { nl } from '../i18n/nl';
import { fill, leave, open, press, sent, violations } from './harness';

afterEach(leave);

async function services(): Promise<MockHost> {
  const host = await open({ link: 'live' });
  press('4', { ctrlKey: true, code: 'Digit4' });
  await screen.findByRole('region', { name: nl.kept.messages });
  return host;
}

const region = (name: string): HTMLElement => screen.getByRole('region', { name });

describe('voice messages', () => {
  it('are listed newest first, marked, and deleted when that is asked for twice', async () => {
    const host = await services();
    const here = region(nl.kept.messages);
    await within(here).findByText('Garage Jansen');
    expect(within(here).getAllByRole('listitem').map((one) => one.dataset.message)).toEqual(['3', '2', '1']);
    expect(within(here).getByText(/dringend/)).toBeTruthy();
    const lengths = within(here).getAllByRole('listitem').map((one) => /duurt [\d:]+/.exec(one.textContent ?? '')?.[0]);
    expect(lengths).toEqual(['duurt 0:14', undefined, 'duurt 1:01']);
    within(here).getAllByRole('button', { name: nl.kept.markHeard })[0]?.click();
    await waitFor(() => expect(host.company.centre.messages).toEqual({ new: 1, old: 2 }));
    expect(sent(host, 'message.mark')).toEqual([{ cmd: 'message.mark', message: '3', heard: true, account: 'main' }]);
    const remove = within(here).getAllByRole('button', { name: nl.kept.remove })[2];
    remove?.click();
    (await within(here).findByRole('button', { name: nl.kept.sure })).click();
    await waitFor(() => expect(within(here).getAllByRole('listitem')).toHaveLength(2));
    expect(sent(host, 'message.delete')).toEqual([{ cmd: 'message.delete', message: '1', account: 'main' }]);
    expect(await violations()).toEqual([]);
  });

  it('are read again when the exchange counts otherwise, and are none when there are none', async () => {
    const host = await services();
    await within(region(nl.kept.messages)).findByText('Garage Jansen');
    host.company.messages = [];
    host.company.change({ messages: { new: 0, old: 0 } });
    await within(region(nl.kept.messages)).findByText(nl.kept.noMessages);
  });

  it('say what goes wrong in words', async () => {
    const host = await services();
    await within(region(nl.kept.messages)).findByText('Garage Jansen');
    vi.spyOn(host, 'control').mockRejectedValue(new HostError('not_found', 'gone'));
    within(region(nl.kept.messages)).getAllByRole('button', { name: nl.kept.markHeard })[0]?.click();
    const alert = await within(region(nl.kept.messages)).findByRole('alert');
    expect(alert.textContent).toContain(nl.codes.not_found.what);
  });
});

describe('own numbers', () => {
  it('are added, changed and removed, and called', async () => {
    const host = await services();
    const here = region(nl.kept.numbers);
    await within(here).findByText('Taxi');
    fill(within(here).getByLabelText(nl.kept.name), 'Oppas');
    fill(within(here).getByLabelText(nl.kept.number), '0612340000');
    within(here).getByRole('button', { name: nl.kept.add }).click();
    await within(here).findByText('Oppas');
    expect(sent(host, 'personal_number.add')).toEqual([{ cmd: 'personal_number.add', name: 'Oppas', number: '0612340000', account: 'main' }]);
    within(here).getByRole('button', { name: nl.kept.changeOf('Oppas') }).click();
    await waitFor(() => expect(document.activeElement).toBe(within(here).getByLabelText(nl.kept.name)));
    fill(within(here).getByLabelText(nl.kept.name), 'Taxi');
    within(here).getByRole('button', { name: nl.kept.save }).click();
    // There is one of that name: it is said, and what was typed stays.
    await within(here).findByRole('alert');
    fill(within(here).getByLabelText(nl.kept.name), 'Oppas Kim');
    within(here).getByRole('button', { name: nl.kept.save }).click();
    await within(here).findByText('Oppas Kim');
    expect(sent(host, 'personal_number.change').at(-1)).toEqual({ cmd: 'personal_number.change', was: 'Oppas', name: 'Oppas Kim', number: '0612340000', account: 'main' });
    within(here).getByRole('button', { name: nl.kept.callTo('Taxi') }).click();
    expect(sent(host, 'call.dial')).toEqual([{ cmd: 'call.dial', to: '030 230 04 00' }]);
    within(here).getByRole('button', { name: nl.kept.removeOf('Taxi') }).click();
    (await within(here).findByRole('button', { name: nl.kept.sure })).click();
    await waitFor(() => expect(within(here).queryByText('Taxi')).toBeNull());
    expect(await violations()).toEqual([]);
  });
});

describe('a guest at this telephone', () => {
  it('signs in with number and password, is shown, and leaves', async () => {
    const host = await services();
    const here = region(nl.guest.heading);
    const number = within(here).getByLabelText<HTMLInputElement>(nl.guest.number);
    const secret = within(here).getByLabelText<HTMLInputElement>(nl.guest.secret);
    within(here).getByRole('button', { name: nl.guest.signIn }).click();
    expect(sent(host, 'guest.sign_in')).toEqual([]);
    fill(number, '103');
    fill(secret, '0000');
    within(here).getByRole('button', { name: nl.guest.signIn }).click();
    expect((await within(here).findByRole('alert')).textContent).toContain(nl.guest.wrong);
    expect(document.activeElement).toBe(secret);
    expect(secret.value).toBe('');
    fill(secret, '4711');
    within(here).getByRole('button', { name: nl.guest.signIn }).click();
    await within(here).findByText('Samira el Amrani');
    const leaves = within(here).getByRole('button', { name: nl.guest.signOut });
    await waitFor(() => expect(document.activeElement).toBe(leaves));
    expect(await violations()).toEqual([]);
    leaves.click();
    await waitFor(() => expect(document.activeElement).toBe(within(here).getByLabelText(nl.guest.secret)));
    expect(sent(host, 'guest.sign_out')).toEqual([{ cmd: 'guest.sign_out', account: 'main' }]);
  });

  it('is not spoken of where no guest can sign in', async () => {
    const host = await services();
    host.company.change({ seat: null });
    await waitFor(() => expect(screen.queryByRole('region', { name: nl.guest.heading })).toBeNull());
  });
});
