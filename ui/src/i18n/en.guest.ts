// English, of a guest at this telephone.

import type { Messages } from './nl';

export const guest: Messages['guest'] = {
  heading: 'Guest at this phone',
  free: 'A colleague can take this phone over: his calls then ring here, and whoever calls from here calls in his name.',
  means: 'Calls for the guest ring here, and whoever calls from here calls in his name.',
  has: 'uses this phone',
  number: 'The guest’s number',
  secret: 'Password or PIN',
  signIn: 'Sign guest in',
  signOut: 'Sign guest out',
  busy: 'Working…',
  wrong: 'Number and password do not belong together. Type the guest’s password again.',
  refused: 'The exchange does not let this guest in here. Check the number, or sign out the guest who is there now.',
};
