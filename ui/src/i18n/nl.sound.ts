// Dutch, of how a call sounds and why.

import type { Code, QualityCause } from '../bindings';
import type { CodeText } from './nl.codes';

export const soundCodes: Pick<Record<Code, CodeText>, 'audio_denied' | 'audio_in_use' | 'ringer_failed' | 'alerts_failed'> = {
  audio_denied: {
    what: 'Dit apparaat mag niet gebruikt worden',
    todo: 'Sta microfoon en geluid voor Balie toe in de privacy-instellingen van deze computer.',
  },
  audio_in_use: {
    what: 'Een ander programma houdt dit geluidsapparaat bezet',
    todo: 'Sluit dat programma of kies een ander apparaat; Balie probeert het steeds opnieuw.',
  },
  ringer_failed: {
    what: 'Een apparaat dat moet overgaan doet het niet',
    todo: 'Gesprekken hebben gewoon geluid. Sluit het opnieuw aan, of kies bij Geluid waarop het overgaat.',
  },
  alerts_failed: {
    what: 'Het apparaat voor meldingen doet het niet',
    todo: 'Gesprekken hebben gewoon geluid. Sluit het opnieuw aan, of kies bij Geluid een ander.',
  },
};

export const badSound: Record<QualityCause, CodeText> = {
  unknown: { what: 'Het geluid is slecht, en waardoor is niet te zien', todo: 'Vraag of de ander u hoort; hang anders op en bel opnieuw.' },
  our_side: { what: 'Deze computer houdt het geluid niet bij', todo: 'Sluit programma’s die veel rekenen.' },
  their_side: { what: 'Het ligt aan de andere kant: daar hapert het geluid', todo: 'Vraag de ander naar zijn toestel te kijken of opnieuw te bellen.' },
  network_in: { what: 'Het netwerk verliest geluid van de ander', todo: 'U hoort hem slecht. Een kabel is beter dan wifi.' },
  network_out: { what: 'Het netwerk verliest geluid van u', todo: 'De ander hoort u slecht. Een kabel is beter dan wifi.' },
  network: { what: 'Het netwerk is traag of verliest geluid, heen en terug', todo: 'Een kabel is beter dan wifi.' },
  microphone_silent: { what: 'Uw microfoon geeft geen geluid', todo: 'Kijk of hij aan staat, of kies een andere.' },
  microphone_clips: { what: 'U klinkt overstuurd', todo: 'Zet de microfoon zachter of houd hem verder weg.' },
};

/** How long sound takes from mouth to ear: what is heard, and what is said. */
export const soundDelay = (heard: number | null, said: number | null): string =>
  [heard === null ? '' : `de ander is na ${heard} ms te horen`, said === null ? '' : `u na ${said} ms`].filter((part) => part !== '').join(', ');
