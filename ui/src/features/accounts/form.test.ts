// What the account form asks for before it is sent.

import { describe, expect, it } from 'vitest';
import { MockHost } from '../../host/mock';
import { blankForm, formOf, formOfFound, keysExposed, lacks } from './form';

describe('account form', () => {
  it('shows what is known of an account, but never a password', async () => {
    const [account] = (await new MockHost().control({ cmd: 'view.get' })).accounts;
    if (account === undefined) throw new Error('no account');
    const form = formOf({ ...account, server: 'pbx.example', auth_user: 'u', transport: 'tcp' });
    expect(form).toMatchObject({ id: 'main', user: '101@lindeboom.example', server: 'pbx.example', auth_user: 'u', transport: 'tcp' });
    expect(form.password).toBe('');
  });

  it('of an account that controls another telephone needs none of its own', async () => {
    const [account] = (await new MockHost().control({ cmd: 'view.get' })).accounts;
    if (account === undefined) throw new Error('no account');
    const form = formOf({ ...account, control_only: true });
    expect(form.control_only).toBe(true);
    expect(formOf(account).control_only).toBeUndefined();
    expect(lacks({ ...form, user: '', server: '' }, false)).toEqual({});
    expect(lacks({ ...form, user: '', control_only: false }, true)).toEqual({ user: 'required' });
  });

  it('shows the exchange of an account, but not its password; what was found brings its own', async () => {
    const [account] = (await new MockHost().control({ cmd: 'view.get' })).accounts;
    if (account === undefined) throw new Error('no account');
    expect(formOf(account).exchange).toEqual({ kind: 'none' });
    const xsi = { kind: 'broadworks' as const, server: 'xsp.example', user: 'jan@pbx.example' };
    expect(formOf({ ...account, exchange: xsi }).exchange).toEqual({ ...xsi, password: '' });
    const found = await new MockHost().control({ cmd: 'account.discover', user: 'maud@lindeboom.example', password: 'x' });
    expect(formOfFound(found).exchange).toBeUndefined();
  });

  it('shows encryption and the ways of sound, but not the password at the relay', async () => {
    const [account] = (await new MockHost().control({ cmd: 'view.get' })).accounts;
    if (account === undefined) throw new Error('no account');
    const set = { encryption: 'always' as const, keying: 'both' as const, silence_suppression: true, ice: true, stun: 'stun.example', turn: 'turns:turn.example', turn_user: 'jan' };
    expect(formOf({ ...account, media: { ...set, turn_password_known: true } }).media).toEqual({ ...set, turn_password: '' });
  });

  it('says which server is none and what a relay needs, while ways are looked for', () => {
    const media = { encryption: 'off' as const, keying: 'sdes' as const, silence_suppression: false, ice: true, stun: 'stun example', turn: 'jan@turn', turn_user: '', turn_password: '' };
    const form = { ...blankForm(), user: '101@pbx.example', password: 'x', media };
    expect(lacks(form, false)).toEqual({ stun: 'no_server', turn: 'no_server', turn_user: 'required', turn_password: 'required' });
    expect(lacks({ ...form, media: { ...media, ice: false } }, false)).toEqual({});
    for (const turn of ['turn.example', 'turn:turn.example:80?transport=tcp', 'turns:[2001:db8::1]:443']) {
      expect(lacks({ ...form, media: { ...media, stun: 'stun:stun.example:3479', turn, turn_user: 'jan' } }, false, true)).toEqual({});
    }
    expect(lacks({ ...form, media: { ...media, stun: '', turn: '' } }, false)).toEqual({});
  });

  it('warns where keys would cross an unprotected connection', () => {
    const encrypted = { ...blankForm().media, encryption: 'when_possible' as const };
    const form = { ...blankForm(), media: { ...encrypted, keying: 'dtls' as const, silence_suppression: false, ice: false, stun: '', turn: '', turn_user: '', turn_password: '' } };
    expect(keysExposed({ ...form, transport: 'udp' })).toBe(true);
    expect(keysExposed({ ...form, transport: 'tls' })).toBe(false);
    expect(keysExposed({ ...blankForm(), transport: 'udp' })).toBe(false);
  });

  it('needs a user, a server and, for a new account, a password', () => {
    expect(lacks(blankForm(), false)).toEqual({ user: 'required', password: 'required' });
    expect(lacks({ ...blankForm(), user: '101', password: 'x' }, false)).toEqual({ server: 'server_needed' });
    expect(lacks({ ...blankForm(), user: '101@pbx.example', password: 'x' }, false)).toEqual({});
    expect(lacks({ ...blankForm(), id: 'main', user: '101', server: 'pbx.example' }, true)).toEqual({});
  });
});
