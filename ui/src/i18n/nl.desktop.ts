// Dutch, of the desktop around the program.

import type { HotkeyName, Refused } from '../features/desktop/hotkeys';

export const desktop = {
  everywhere: 'Overal, ook in andere programma’s',
  does: {
    answer: 'Opnemen, de langst wachtende',
    hangup: 'Ophangen of stoppen met bellen',
    hold: 'In de wacht, of terughalen',
    mute: 'Microfoon dempen of weer aan',
    show: 'Balie naar voren halen',
    dial: 'Geselecteerd of gekopieerd nummer klaarzetten',
  } satisfies Record<HotkeyName, string>,
  taken: 'Deze toets is van een ander programma. Kies een andere.',
  refused: {
    plain: 'Neem Ctrl of Alt erbij, of een functietoets.',
    editing: 'Die toets is in andere programma’s nodig.',
  } satisfies Record<Refused, string>,
  notHere: 'Dit bureaublad geeft programma’s geen toetsen. Koppel er zelf een toets aan, in de toetsenbordinstellingen, met een van deze opdrachten:',
  asks: 'Dit bureaublad geeft zelf toetsen: het kan u eerst iets vragen, en een andere toets geven dan u kiest.',
  given: (key: string) => `Gegeven: ${key}`,
  notGiven: 'Het bureaublad heeft deze toets niet gegeven. Kies een andere, of koppel balie met een opdracht in de toetsenbordinstellingen.',
  noticeCalls: 'Melding van het bureaublad bij een oproep, met knoppen',
  noticeMissed: 'Melding van het bureaublad bij een gemiste oproep',
  atLogin: 'Starten bij aanmelden',
  prepared: (text: string, key: string) => `${text} staat klaar. ${key} belt.`,
  preparedConsult: (text: string, key: string, who: string, apart: string) =>
    `${text} staat klaar. ${key} vraagt ruggespraak terwijl ${who} wacht${apart === '' ? '' : `; ${apart} belt los van dit gesprek`}.`,
  preparedWaits: (text: string, to: string) => `${text} staat klaar. Rond eerst de ruggespraak met ${to} af.`,
  offered: (text: string, key: string) => `${text} staat klaar; wat u deed blijft staan.${key === '' ? '' : ` ${key} neemt het over.`}`,
  readyHeading: 'Staat klaar',
  take: 'Neem over',
  putAway: 'Weg',
};
