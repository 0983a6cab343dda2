// English, of encryption and the ways of sound in the account form.

import type { mediaForm as dutch } from './nl.media';

export const mediaForm: typeof dutch = {
  encryption: 'Encryption',
  encryptions: { off: 'Off', when_possible: 'When possible', always: 'Always' },
  means: {
    off: 'Whoever watches the network can listen in on calls.',
    when_possible: 'Calls are encrypted where the other side can do it too, else not.',
    always: 'A call that cannot be encrypted is not made and not taken, but for one to an emergency number.',
  },
  open: 'The keys are agreed over an unprotected connection. Choose TLS as the connection, else whoever gets at them can listen in too.',
  more: 'Keys and way of the sound',
  keying: 'Agree on keys',
  keyings: { sdes: 'Through the exchange (SDES)', dtls: 'Between the ends of the sound (DTLS)', both: 'Either' },
  keyingHint: 'As the exchange has it set for this phone',
  pauses: 'Send little in silences',
  pausesHint: 'Saves data on a thin line, where the exchange can do it too; words said softly may get lost',
  ice: 'Find the way of the sound by itself (ICE)',
  iceHint: 'Needed where the exchange knows you as a web phone, or where a router stops sound',
  stun: 'STUN server',
  stunHint: 'For example stun.company.com:3478; usually empty',
  turn: 'Relay (TURN)',
  turnHint: 'For example turn:turn.company.com or turns:turn.company.com; usually empty',
  turnUser: 'User at the relay',
  turnUserHint: 'As the administrator gave it',
  turnPassword: 'Password at the relay',
  noServer: 'This is no server: give a name or address, with a port if needed',
};
