// Dutch, of how a call sounds and why.

import type { Code, Levels, QualityCause, RecordingFormatName, RingSource } from '../bindings';
import type { SoundTrouble } from '../shared/sound';
import type { CodeText } from './nl.codes';

export const soundCodes: Pick<Record<Code, CodeText>, 'audio_denied' | 'audio_in_use' | 'ringer_failed' | 'alerts_failed' | 'ring_unreadable' | 'ring_length' | 'ring_size' | 'bluetooth_calls' | 'bluetooth_no_microphone'> = {
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
  bluetooth_calls: {
    what: 'Uw Bluetooth-headset klinkt als een telefoon',
    todo: 'Hij staat in de stand voor bellen (hands-free). Kies bij Geluid ook zijn eigen microfoon, of zet hem in het systeemgeluid op muziek (A2DP) en gebruik een andere microfoon.',
  },
  bluetooth_no_microphone: {
    what: 'Uw Bluetooth-headset geeft nu geen microfoon',
    todo: 'Hij staat in de stand voor muziek (A2DP). Zet hem in het systeemgeluid op bellen (hands-free), of kies bij Geluid een andere microfoon.',
  },
  ring_unreadable: {
    what: 'Dit geluid kan niet overgaan',
    todo: 'Kies een ander bestand, liefst WAV; zolang klinkt de ingebouwde bel.',
  },
  ring_length: { what: 'Deze beltoon is te kort of te lang', todo: 'Kies een geluid van een derde seconde tot 30 seconden.' },
  ring_size: { what: 'Dit bestand is te groot voor een beltoon', todo: 'Kies een bestand van hoogstens 8 MB.' },
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

/** Recordings on this computer. */
export const recordHere = {
  heading: 'Gesprekken opnemen',
  on: 'Gesprekken op deze computer opnemen',
  hint: 'Alleen als u dat per gesprek vraagt. De ander hoort een toon als het opnemen begint en daarna elke 15 seconden; wie opneemt, moet dat mogen. Neemt uw centrale op, dan gaat dat voor.',
  format: 'Soort bestand',
  formats: { opus: 'Opus (klein)', wav: 'WAV (groot, onbewerkt)' } satisfies Record<RecordingFormatName, string>,
  days: 'Bewaren, in dagen',
  daysHint: 'Daarna worden opnamen verwijderd',
  folder: 'Map voor opnamen',
  folderHint: (used: string) => `Leeg is de gewone: ${used}`,
  announcement: 'Aankondiging vooraf (WAV-bestand)',
  announcementHint: 'De ander hoort dit eerst; leeg: alleen de toon',
  wrong: {
    folder: 'Geef het hele pad van de map',
    announcement: 'Geef het hele pad van een WAV-bestand dat er is',
    keep_days: 'Kies 1 tot 3650 dagen',
  },
};

/** How calls ring, by where they come from. */
export const rings = {
  heading: 'Beltonen',
  of: { ordinary: 'Van buiten', internal: 'Van een collega', queue: 'Uit een wachtrij', door: 'Van de deur' } satisfies Record<RingSource, string>,
  builtIn: { ordinary: 'Bel', internal: 'Zachte bel', queue: 'Drie trillers', door: 'Twee piepjes' } satisfies Record<RingSource, string>,
  hear: 'Beluister',
  stop: 'Stop',
  file: 'Kies een geluid',
  reset: 'Ingebouwde beltoon',
  set: 'De beltoon is veranderd',
  hint: 'Een WAV-, MP3- of Ogg-bestand van hoogstens 30 seconden',
  trouble: { unreadable: soundCodes.ring_unreadable, too_long: soundCodes.ring_size } satisfies Record<SoundTrouble, CodeText>,
};

/** The meters: their names, and how loud it is in a word. */
export const levels: Record<keyof Levels, { name: string; quiet: string; heard: string; loud: string }> = {
  microphone: { name: 'Microfoonniveau', quiet: 'stil', heard: 'hoort u', loud: 'te hard' },
  speaker: { name: 'Niveau van wat u hoort', quiet: 'stil', heard: 'speelt af', loud: 'te hard' },
};
