// English, of who can listen along in a call, and of the figures of its sound.

import type { figures as inDutch, lock as dutch } from './nl.lock';

export const lock: typeof dutch = {
  unknown: { word: 'Encryption unknown', who: 'Another phone carries this call. Whether it is encrypted cannot be seen here.' },
  none: { word: 'Not encrypted', who: 'Whoever watches the network between you and the other side can listen in.' },
  keys_exposed: {
    word: 'Encrypted, keys unprotected',
    who: 'The keys, or the proof of whose they are, crossed the network unprotected: whoever could get at them when the call began can listen in.',
  },
  exchange: {
    word: 'Encrypted up to the exchange',
    who: 'The keys went through your exchange: it can listen in. Nobody can on the network between you and the exchange. Further on it is up to the exchange.',
  },
  ends: {
    word: 'Encrypted between the ends',
    who: 'Only the two ends of this sound have the keys. Where the sound goes through your exchange, it is such an end and can listen in; else only the other side.',
  },
};

export const figures: typeof inDutch = {
  heading: 'Figures of the sound',
  heard: 'You hear',
  said: 'They hear',
  mos: 'Score (MOS, at most 4.5)',
  loss: 'Lost',
  jitter: 'Wavering (jitter)',
  delay: 'From mouth to ear',
  roundTrip: 'There and back over the network',
  buffer: 'Kept here to even out the wavering',
  percent: (n) => `${n} %`,
  ms: (n) => `${n} ms`,
  unknown: 'unknown',
};
