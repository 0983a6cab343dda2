// What the account form asks for before it is sent.

import { describe, expect, it } from 'vitest';
import { MockHost } from '../../host/mock';
import { blankForm, formOf, formOfFound, lacks } from './form';

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

  it('needs a user, a server and, for a new account, a password', () => {
    expect(lacks(blankForm(), false)).toEqual({ user: 'required', password: 'required' });
    expect(lacks({ ...blankForm(), user: '101', password: 'x' }, false)).toEqual({ server: 'server_needed' });
    expect(lacks({ ...blankForm(), user: '101@pbx.example', password: 'x' }, false)).toEqual({});
    expect(lacks({ ...blankForm(), id: 'main', user: '101', server: 'pbx.example' }, true)).toEqual({});
  });
});
