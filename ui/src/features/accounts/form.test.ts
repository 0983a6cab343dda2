// What the account form asks for before it is sent.

import { describe, expect, it } from 'vitest';
import { blankForm, lacks } from './form';

describe('account form', () => {
  it('needs a user, a server and, for a new account, a password', () => {
    expect(lacks(blankForm())).toEqual({ user: 'required', password: 'required' });
    expect(lacks({ ...blankForm(), user: '101', password: 'x' })).toEqual({ server: 'server_needed' });
    expect(lacks({ ...blankForm(), user: '101@pbx.example', password: 'x' })).toEqual({});
    expect(lacks({ ...blankForm(), id: 'main', user: '101', server: 'pbx.example' })).toEqual({});
  });
});
