// Dutch, of the keys and lamps of headsets and of busy lights.

import type { Code } from '../bindings';
import type { CodeText } from './nl.codes';

export const headsetCodes: Pick<Record<Code, CodeText>, 'headset_denied' | 'headset_in_use' | 'headset_failed'> = {
  headset_denied: {
    what: 'De knoppen van uw headset mogen niet gebruikt worden',
    todo: 'Haal de headset los en sluit hem weer aan. Blijft het, vraag uw beheerder of Balie volledig geïnstalleerd is.',
  },
  headset_in_use: {
    what: 'Een ander programma gebruikt uw headset',
    todo: 'Beëindig daar het gesprek of sluit dat programma; tot dan werken de knoppen van de headset niet in Balie.',
  },
  headset_failed: {
    what: 'De knoppen van uw headset werken niet',
    todo: 'Haal de headset los en sluit hem weer aan. Bellen kan gewoon met de toetsen en de muis.',
  },
};

export const headset = {
  heading: 'Knoppen van de headset',
  on: 'Bellen met de knoppen van de headset',
  which: 'Welke headset',
  any: 'De eerste die er is',
  gone: 'niet aangesloten',
  used: (name: string) => `${name} doet mee`,
  none: 'Geen headset met belknoppen gevonden',
  light: 'Bezetlampje gebruiken',
  lightUsed: (name: string) => `Bezetlampje: ${name}`,
};
