// Dutch, of encryption and the ways of sound in the account form.

import type { EncryptionChoice, KeyingChoice } from '../bindings';

export const mediaForm = {
  encryption: 'Versleuteling',
  encryptions: { off: 'Uit', when_possible: 'Als het kan', always: 'Altijd' } satisfies Record<EncryptionChoice, string>,
  means: {
    off: 'Wie op het netwerk meekijkt, kan gesprekken afluisteren.',
    when_possible: 'Gesprekken zijn versleuteld waar de andere kant dat ook kan, anders niet.',
    always: 'Een gesprek dat niet versleuteld kan worden, komt niet tot stand, behalve naar een alarmnummer.',
  } satisfies Record<EncryptionChoice, string>,
  open: 'De sleutels worden langs een onbeveiligde verbinding afgesproken. Kies bij Verbinding TLS, anders kan wie daarbij kan ook meeluisteren.',
  more: 'Sleutels en weg van het geluid',
  keying: 'Sleutels afspreken',
  keyings: { sdes: 'Via de centrale (SDES)', dtls: 'Tussen de uiteinden van het geluid (DTLS)', both: 'Beide kan' } satisfies Record<KeyingChoice, string>,
  keyingHint: 'Zoals de centrale het voor dit toestel heeft ingesteld',
  pauses: 'Stuur weinig in stiltes',
  pausesHint: 'Spaart data op een dunne lijn, als de centrale het ook kan; zacht gesproken woorden kunnen wegvallen',
  ice: 'Zoek zelf de weg van het geluid (ICE)',
  iceHint: 'Nodig als de centrale u als webtelefoon kent, of als er een router tussen zit die geluid tegenhoudt',
  stun: 'STUN-server',
  stunHint: 'Bijvoorbeeld stun.bedrijf.nl:3478; meestal leeg',
  turn: 'Doorgeefserver (TURN)',
  turnHint: 'Bijvoorbeeld turn:turn.bedrijf.nl of turns:turn.bedrijf.nl; meestal leeg',
  turnUser: 'Gebruiker bij de doorgeefserver',
  turnUserHint: 'Zoals de beheerder die gaf',
  turnPassword: 'Wachtwoord bij de doorgeefserver',
  noServer: 'Dit is geen server: geef een naam of adres, zo nodig met een poort',
};
