// English, of the desktop around the program.

import type { desktop as dutch } from './nl.desktop';

export const desktop: typeof dutch = {
  everywhere: 'Everywhere, in other programs too',
  does: {
    answer: 'Answer the longest waiting',
    hangup: 'Hang up, or stop dialling',
    hold: 'Hold, or take back',
    mute: 'Mute the microphone, or no longer',
    show: 'Bring Balie to the front',
    dial: 'Lay a selected or copied number ready',
  },
  taken: 'Another program has this key. Choose another one.',
  refused: {
    plain: 'Add Ctrl or Alt, or take a function key.',
    editing: 'Other programs need that key.',
  },
  notHere: 'This desktop gives keys to no program. Bind a key yourself, in the settings of the keyboard, to one of these commands:',
  asks: 'This desktop gives keys itself: it may ask you first, and give another key than you choose.',
  given: (key: string) => `Given: ${key}`,
  notGiven: 'The desktop did not give this key. Choose another one, or bind balie with a command in the settings of the keyboard.',
  noticeCalls: 'The desktop’s notification of a call, with buttons',
  noticeMissed: 'The desktop’s notification of a missed call',
  atLogin: 'Start at login',
  prepared: (text: string, key: string) => `${text} is ready. ${key} calls.`,
  preparedConsult: (text: string, key: string, who: string, apart: string) =>
    `${text} is ready. ${key} consults while ${who} waits${apart === '' ? '' : `; ${apart} calls apart from this call`}.`,
  preparedWaits: (text: string, to: string) => `${text} is ready. Finish the consultation with ${to} first.`,
  offered: (text: string, key: string) => `${text} is ready; what you were doing stays.${key === '' ? '' : ` ${key} takes it.`}`,
  readyHeading: 'Ready to dial',
  take: 'Take it',
  putAway: 'Put away',
};
