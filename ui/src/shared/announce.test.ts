// What a screen reader hears as the view changes.

import { describe, expect, it } from 'vitest';
import type { AppView, CallView, CentreView, QueueView, RecordingName } from '../bindings';
import { MockHost } from '../host/mock';
import { centreView, queueViews } from '../host/mock/company';
import { nl } from '../i18n/nl';
import { announcement, centreAnnouncement, queueAnnouncement } from './announce';

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

  it('tell once that a caller is with somebody else, and two things in two sentences', async () => {
    const ringing = await view((host) => host.ring());
    const call: CallView = { ...(ringing.calls[0] as CallView), state: 'active' };
    const to = { ...call.peer, name: 'Joris Hendriks', number: '102' };
    const transfer = { state: 'trying', to, reason: null } as CallView['transfer'];
    const sent: AppView = { ...ringing, calls: [{ ...call, transfer }] };
    const arrived: AppView = { ...ringing, calls: [{ ...call, state: 'ended', transfer: { ...transfer, state: 'done' } as CallView['transfer'] }] };
    expect(said(sent, arrived).polite).toBe('06 2233 4455 is verbonden met Joris Hendriks.');
    const other: CallView = { ...call, id: 77, peer: to };
    const two: AppView = { ...ringing, calls: [{ ...call, state: 'held' }, other] };
    expect(said({ ...ringing, calls: [call, { ...other, state: 'dialing' }] }, two).polite).toBe('06 2233 4455 staat in de wacht. In gesprek met Joris Hendriks');
  });

  it('tell once that the sound became bad and why, and not of a microphone that a notice tells of', async () => {
    const ringing = await view((host) => host.ring());
    const call: CallView = { ...(ringing.calls[0] as CallView), state: 'active' };
    const so = (quality_cause: CallView['quality_cause'], no_sound = false): AppView => ({ ...ringing, calls: [{ ...call, quality_cause, no_sound }] });
    expect(said(so(null), so('network_in')).polite).toBe(`${nl.calls.badSound.network_in.what}. ${nl.calls.badSound.network_in.todo}`);
    expect(said(so('network_in'), so('network_in')).polite).toBe('');
    expect(said(so('network_in'), so('unknown')).polite).toBe('');
    expect(said(so('unknown'), so(null)).polite).toBe('');
    expect(said(so(null), so('microphone_silent')).polite).toBe('');
    expect(said(so(null), so('their_side', true)).polite).toContain(nl.calls.noSound.what);
  });

  it('tell that a call is recorded, and that it no longer is', async () => {
    const ringing = await view((host) => host.ring());
    const call: CallView = { ...(ringing.calls[0] as CallView), state: 'active' };
    const so = (state: RecordingName | null, here = false): AppView => ({ ...ringing, calls: [{ ...call, recording: state === null ? null : { state, here, may: [] } }] });
    expect(said(so('on', true), so('failed', true)).polite).toBe(`${nl.recording.failedHere}.`);
    expect(said(so('on'), so('failed')).polite).toBe(`${nl.recording.states.failed}.`);
    expect(said(so(null), so('off')).polite).toBe('');
    expect(said(so('off'), so('on')).polite).toBe('Wordt opgenomen.');
    expect(said(so('on'), so('on')).polite).toBe('');
    expect(said(so('on'), so('paused')).polite).toBe('Opname onderbroken.');
    expect(said(so('paused'), so('off')).polite).toBe('Wordt niet meer opgenomen.');
    expect(said(so('off'), so('failed')).polite).toBe('De centrale kon niet opnemen.');
  });
});

describe('announcements of the exchange', () => {
  const centre = centreView(0);

  it('tell that its view is lost and back, and a new state of the agent, once', () => {
    const lost: CentreView = { ...centre, link: { ...centre.link, state: 'lost' } };
    expect(centreAnnouncement(nl, undefined, lost)).toBe('');
    expect(centreAnnouncement(nl, centre, lost)).toBe(`${nl.centre.link.lost.what}.`);
    expect(centreAnnouncement(nl, lost, lost)).toBe('');
    expect(centreAnnouncement(nl, lost, centre)).toBe(`${nl.centre.link.live.what}.`);
    const { agent } = centre;
    if (agent === null) throw new Error('no agent');
    expect(centreAnnouncement(nl, centre, { ...centre, agent: { ...agent, state: 'wrap_up' } })).toBe('Agent: Nawerk.');
    expect(centreAnnouncement(nl, centre, { ...centre, warnings: ['night_drift'] })).toBe(nl.centre.warnings.night_drift);
  });

  it('tell of a queue only when it becomes too busy, and only to whom it concerns', () => {
    const [, support] = queueViews(0);
    if (support === undefined) throw new Error('no queue');
    const calm: QueueView = { ...support, severity: 'yellow' };
    expect(queueAnnouncement(nl, calm, support, 0)).toBe('Support: 5 wachten, langste 4:05.');
    expect(queueAnnouncement(nl, support, support, 0)).toBe('');
    expect(queueAnnouncement(nl, support, calm, 0)).toBe('');
    expect(queueAnnouncement(nl, calm, { ...support, supervised: false, joined: null }, 0)).toBe('');
  });
});
