// Dutch, of where callers can be sent, and of what keeps people safe when they dial.

import type { HelpWarning, NumberKind, TargetKind } from '../bindings';

export const targets = {
  heading: (who: string) => `Waarheen bij ${who}`,
  all: 'Nummers',
  direct: 'verbindt direct in plaats van met ruggespraak',
  does: (what: string, kind: string) => `${what}: ${kind}`,
  none: 'Van deze keuze is maar één nummer bekend',
  noVoicemail: (who: string) => `Van ${who} is geen voicemail bekend`,
  kinds: {
    line: 'Toestel', voicemail: 'Voicemail', mobile: 'Mobiel', work: 'Werk', home: 'Thuis', main: 'Hoofdnummer', assistant: 'Assistent',
    other: 'Ander nummer', queue: 'Wachtrij', park: 'Parkeren bij', outside: 'Extern nummer',
    picked_up: 'Opgenomen voor', retrieved: 'Opgehaald bij',
  } satisfies Record<TargetKind, string>,
  named: {
    line: (who: string) => who,
    voicemail: (who: string) => `voicemail van ${who}`,
    mobile: (who: string) => `${who} (mobiel)`,
    work: (who: string) => `${who} (werk)`,
    home: (who: string) => `${who} (thuis)`,
    main: (who: string) => `${who} (hoofdnummer)`,
    assistant: (who: string) => `assistent van ${who}`,
    other: (who: string) => who,
    queue: (who: string) => `wachtrij ${who}`,
    outside: (who: string) => `${who} (extern)`,
    picked_up: (who: string) => `opgenomen voor ${who}`,
    retrieved: (who: string) => (who === '' ? 'opgehaald gesprek' : `opgehaald bij ${who}`),
  } satisfies Record<Exclude<TargetKind, 'park'>, (who: string) => string>,
  park: (who: string) => (who === '' ? 'parkeren' : `parkeren bij ${who}`),
};

const dear = 'is een betaald nummer: dit kost meer dan een gewoon gesprek.';

export const costs = {
  heading: 'Kosten',
  ask: (number: string, why: string) => `${number} ${why} Enter gaat door, Esc niet.`,
  call: 'Toch bellen',
  send: 'Toch doorverbinden',
  leave: 'Niet bellen',
  kinds: {
    premium: dear,
    adult: dear,
    amusement: dear,
    information: 'is een inlichtingennummer: dit kost meer dan een gewoon gesprek.',
    personal_assistant: 'schakelt door naar een onbekend nummer: dit kan veel kosten en wordt vaak voor oplichting gebruikt.',
    pager: 'is een semafoon: dit kan veel kosten.',
    data: 'is een inbelnummer: dit kan veel kosten.',
    satellite: 'is een satelliettelefoon: dit kost enkele euro’s per minuut.',
    international_premium: 'is een betaald nummer in het buitenland: dit kan veel kosten.',
    international: 'is een nummer in het buitenland.',
    unknown: 'kan meer kosten dan een gewoon gesprek.',
  } as Partial<Record<NumberKind, string>> & { unknown: string },
  blockedHeading: 'Geblokkeerd',
  blocked: 'laat uw bedrijf of aanbieder vanaf uw lijn niet door. Uw beheerder kan het vrijgeven.',
  tryIt: 'Toch proberen',
  rules: 'Vraag eerst bij',
  premium: 'Betaalde nummers en diensten',
  foreign: 'Nummers in het buitenland',
  never: 'Nooit vragen bij',
  neverHint: 'Eén nummer of begin per regel, bijvoorbeeld +32 of 0900-8844.',
  country: 'Noodnummers van',
  helpNumbers: (numbers: string) => `Wordt altijd meteen gebeld: ${numbers}.`,
};

export const help = {
  heading: 'Noodnummer: wordt altijd meteen gebeld.',
  with: (account: string, number: string) => `Met ${account}; uw nummer ${number} is zichtbaar.`,
  where: 'Zeg waar u bent. Balie stuurt uw plaats niet mee; de hulpdienst ziet hooguit het adres dat bij uw nummer hoort.',
  warnings: {
    no_account: 'Er is geen account om mee te bellen. Neem een andere telefoon.',
    cannot_call: 'Dit account kan geen noodnummers bellen. Neem een andere telefoon.',
    not_registered: 'Dit account is nu niet aangemeld. Het wordt toch geprobeerd; neem bij twijfel een andere telefoon.',
  } satisfies Record<HelpWarning, string>,
  account: 'Met dit account zijn geen noodnummers te bellen.',
};

export const safetyCodes = {
  asks_first: { what: 'Dit nummer kan extra kosten', todo: 'Bevestig dat u het wilt bellen.' },
  number_blocked: {
    what: 'Naar dit soort nummers mag vanaf uw lijn niet gebeld worden',
    todo: 'Uw bedrijf of aanbieder blokkeert betaalde of buitenlandse nummers. Vraag uw beheerder om dit nummer vrij te geven.',
  },
};
