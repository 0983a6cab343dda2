// English, of what the user keeps at the exchange: messages and own numbers.

import type { Messages } from './nl';

export const kept: Messages['kept'] = {
  messages: 'Voice messages',
  noMessages: 'Nobody has left a message.',
  reading: 'The exchange is being read…',
  again: 'Read again',
  failed: 'That did not work. Try again.',
  length: (time) => `lasts ${time}`,
  urgent: 'urgent',
  fresh: 'new',
  heard: 'heard',
  hear: 'Listen',
  hearOf: (who) => `Listen to the message from ${who}`,
  stop: 'Stop',
  markHeard: 'Mark as heard',
  markFresh: 'Mark as new',
  remove: 'Delete',
  sure: 'Sure? Press again',
  numbers: 'Own numbers at the exchange',
  noNumbers: 'You keep no numbers at the exchange yet.',
  name: 'Name',
  number: 'Number',
  add: 'Add',
  save: 'Keep',
  cancel: 'Cancel',
  call: 'Call',
  callTo: (name) => `Call ${name}`,
  change: 'Change',
  changeOf: (name) => `Change ${name}`,
  removeOf: (name) => `Delete ${name}`,
};
