// Dutch, of who can listen along in a call, and of the figures of its sound.

import type { Encryption } from '../bindings';

/** What the lock says: in a word, and who can listen along. */
export const lock: Record<Encryption, { word: string; who: string }> = {
  unknown: { word: 'Versleuteling onbekend', who: 'Een ander toestel voert dit gesprek. Of het versleuteld is, is hier niet te zien.' },
  none: { word: 'Niet versleuteld', who: 'Wie op het netwerk tussen u en de ander meekijkt, kan meeluisteren.' },
  keys_exposed: {
    word: 'Versleuteld, sleutels onbeschermd',
    who: 'De sleutels, of het bewijs van wie ze zijn, gingen onbeschermd over het netwerk: wie daar bij het begin van het gesprek bij kon, kan meeluisteren.',
  },
  exchange: {
    word: 'Versleuteld tot de centrale',
    who: 'De sleutels gingen langs uw centrale: die kan meeluisteren. Op het netwerk tussen u en de centrale kan niemand dat. Verderop gaat de centrale daarover.',
  },
  ends: {
    word: 'Versleuteld tussen de uiteinden',
    who: 'Alleen de twee uiteinden van dit geluid hebben de sleutels. Loopt het geluid via uw centrale, dan is zij zo’n uiteinde en kan zij meeluisteren; anders alleen de ander.',
  },
};

/** The figures of a call's sound. */
export const figures = {
  heading: 'Cijfers van het geluid',
  heard: 'U hoort',
  said: 'De ander hoort',
  mos: 'Cijfer (MOS, hoogstens 4,5)',
  loss: 'Verloren',
  jitter: 'Schommeling (jitter)',
  delay: 'Van mond tot oor',
  roundTrip: 'Heen en weer over het netwerk',
  buffer: 'Hier opgehouden om schommeling op te vangen',
  percent: (n: string) => `${n} %`,
  ms: (n: string) => `${n} ms`,
  unknown: 'onbekend',
};
