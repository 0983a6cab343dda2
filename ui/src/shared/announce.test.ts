// What a screen reader hears as the view changes.

import { describe, expect, it } from 'vitest';
import type { AppView, CallView } from '../bindings';
import { MockHost } from '../host/mock';
import { nl } from '../i18n/nl';
import { announcement } from './announce';

const view = async (change: (host: MockHost) => void = () => undefined): Promise<AppView> => {
  const host = new MockHost();
  change(host);
  return host.control({ cmd: 'view.get' });
};

const said = (before: AppView, after: AppView): { urgent: string; polite: string } =>
  announcement(nl, before, after, Date.now());

describe('announcements', () => {
  it('tell who calls at once, and how many wait', async () => {
    const quiet = await view();
    const one = await view((host) => host.ring());
    expect(said(quiet, one).urgent).toMatch(/Inkomend gesprek van 06 2233 4455, via 088 765 40 00\. F2 neemt op\./);
    const two = { ...one, calls: [...one.calls, { ...(one.calls[0] as CallView), id: 77 }] };
    expect(said(one, two).urgent).toMatch(/2 wachten, langste 0:0\d/);
    expect(said(two, two)).toEqual({ urgent: '', polite: '' });
  });

  it('tell that nobody can reach the user, and that they can again', async () => {
    const good = await view();
    const [account] = good.accounts;
    if (account === undefined) throw new Error('no account');
    const lost: AppView = { ...good, accounts: [{ ...account, state: 'unreachable', reason: 'timeout' }] };
    const trying: AppView = { ...good, accounts: [{ ...account, state: 'registering', reason: 'timeout' }] };
    expect(said(good, lost).urgent).toContain('kunnen u niet bereiken');
    expect(said(lost, trying).urgent).toBe('');
    expect(said(trying, good).urgent).toBe(nl.live.back);
  });

  it('tell politely what becomes of a call', async () => {
    const ringing = await view((host) => host.ring());
    const call = ringing.calls[0] as CallView;
    const active: AppView = { ...ringing, calls: [{ ...call, state: 'active' }] };
    const muted: AppView = { ...ringing, calls: [{ ...call, state: 'active', muted: true }] };
    expect(said(ringing, active).polite).toBe('In gesprek met 06 2233 4455');
    expect(said(active, muted).polite).toBe('Microfoon uit');
    expect(said(active, { ...active, calls: [] }).polite).toContain('beëindigd');
    const silent: AppView = { ...active, calls: [{ ...call, state: 'active', no_sound: true }] };
    const cut: AppView = { ...active, calls: [{ ...call, state: 'active', no_sound: true, reason: 'connection_lost' }] };
    expect(said(active, silent).polite).toContain(nl.calls.noSound.what);
    expect(said(silent, cut).polite).toContain(nl.codes.connection_lost.what);
    expect(said(cut, cut).polite).toBe('');
  });
});
