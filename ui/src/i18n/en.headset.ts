// English, of the keys and lamps of headsets and of busy lights.

import type { Messages } from './nl';
import type { headsetCodes as dutch } from './nl.headset';

export const headsetCodes: typeof dutch = {
  headset_denied: {
    what: 'The keys of your headset may not be used',
    todo: 'Unplug the headset and plug it in again. If it stays, ask your administrator whether Balie is installed completely.',
  },
  headset_in_use: {
    what: 'Another program is using your headset',
    todo: 'End the call there or close that program; until then the keys of the headset do nothing in Balie.',
  },
  headset_failed: {
    what: 'The keys of your headset do not work',
    todo: 'Unplug the headset and plug it in again. Calls work by keyboard and mouse as ever.',
  },
};

export const headset: Messages['headset'] = {
  heading: 'Keys of the headset',
  on: 'Call with the keys of the headset',
  which: 'Which headset',
  any: 'The first there is',
  gone: 'not connected',
  used: (name) => `${name} takes part`,
  none: 'No headset with keys for calls found',
  light: 'Use a busy light',
  lightUsed: (name) => `Busy light: ${name}`,
};
