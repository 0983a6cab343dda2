// Dutch, of lists of contacts, notes, who is to be called back, and what is kept.

import type { Lasts } from '../features/notes/until';
import type { ImportEncoding, ImportField, ImportProblemKind } from '../bindings';

const plural = new Intl.PluralRules('nl');
const one = (n: number, single: string, many: string): string => `${n} ${plural.select(n) === 'one' ? single : many}`;

const ENCODINGS: Record<ImportEncoding, string> = { utf8: 'UTF-8', utf16: 'UTF-16', windows1252: 'Windows-1252' };

/** What there is to tell of the file that everything is kept in. */
export const storeCodes = {
  store_not_encrypted: {
    what: 'Gesprekken, contacten en notities staan onversleuteld op deze computer',
    todo: 'Er is geen sleutelbos voor de sleutel. Alleen uw eigen gebruiker kan het bestand lezen.',
  },
  store_locked: {
    what: 'De sleutelbos geeft de sleutel van uw gegevens niet',
    todo: 'Eerdere gesprekken en contacten ontbreken nu. Ontgrendel de sleutelbos en start Balie opnieuw.',
  },
  store_key_lost: {
    what: 'De sleutel van uw gegevens is weg',
    todo: 'Balie bewaart het oude bestand ernaast en begint opnieuw. Lees uw contacten opnieuw in.',
  },
  store_damaged: {
    what: 'Het bestand met gesprekken en contacten is beschadigd',
    todo: 'Balie bewaart het oude bestand ernaast en begint opnieuw. Lees uw contacten opnieuw in.',
  },
  store_newer: {
    what: 'Een nieuwere versie van Balie heeft uw gegevens geschreven',
    todo: 'Balie laat ze met rust; wat u nu doet, wordt niet bewaard. Werk Balie bij.',
  },
  store_failed: {
    what: 'Gesprekken en contacten zijn niet te bewaren',
    todo: 'Bellen werkt gewoon. Controleer of de schijf vol of de map beveiligd is.',
  },
  unknown_entry: { what: 'Dat is er niet meer', todo: 'Zoek het opnieuw op.' },
  bad_file: { what: 'Dit bestand is niet te lezen als lijst met contacten', todo: 'Kies een CSV- of vCard-bestand.' },
  screen_pop_failed: {
    what: 'Wat bij een beller hoort te openen, start niet',
    todo: 'Bellen gaat gewoon door. Controleer het adres of het programma in het instellingenbestand.',
  },
};

export const contacts = {
  heading: 'Contacten',
  intro: 'Lees een lijst in uit Outlook, een adresboek of een spreadsheet (CSV of vCard). De namen verschijnen bij zoeken en bellen.',
  choose: 'Bestand kiezen…',
  working: 'Bezig…',
  preview: (name: string) => `Bekijk ${name}`,
  looks: (rows: number, encoding: ImportEncoding, delimiter: string | null) =>
    [one(rows, 'contact', 'contacten'), ENCODINGS[encoding], ...(delimiter === null ? [] : [`gescheiden door ${delimiter === '\t' ? 'tab' : delimiter}`])].join(', '),
  columns: 'Kolommen',
  column: 'Kolom',
  means: 'Betekent',
  examples: 'Voorbeelden',
  noNames: 'Kies ten minste één kolom met een naam of een bedrijf.',
  keep: 'Inlezen',
  leave: 'Niet inlezen',
  added: (added: number, left: number) => `${one(added, 'contact', 'contacten')} ingelezen${left === 0 ? '' : `, ${left} overgeslagen`}.`,
  problems: 'Niet alles kon mee',
  line: (line: number) => `Regel ${line}`,
  why: {
    too_many_values: 'Meer waarden dan kolommen: overgeslagen',
    no_name: 'Geen naam en geen bedrijf: overgeslagen',
    no_number: 'Geen telefoonnummer: zonder dat nummer ingelezen',
    broken_card: 'Geen heel kaartje: overgeslagen',
    too_many: 'Te veel contacten: de rest is overgeslagen',
  } satisfies Record<ImportProblemKind, string>,
  lists: 'Ingelezen lijsten',
  none: 'Nog geen lijst ingelezen.',
  count: (n: number) => one(n, 'contact', 'contacten'),
  takeBack: 'Terugdraaien',
  takeBackOf: (name: string) => `Lijst ${name} terugdraaien`,
  removed: (name: string) => `De lijst ${name} is weer weg.`,
  fields: {
    ignore: 'Niet inlezen',
    name: 'Hele naam',
    given_name: 'Voornaam',
    middle_name: 'Tussenvoegsel',
    family_name: 'Achternaam',
    suffix: 'Achtervoegsel',
    company: 'Bedrijf',
    department: 'Afdeling',
    job_title: 'Functie',
    email: 'E-mail',
    remark: 'Opmerking',
    uid: 'Kenmerk',
    work: 'Telefoon werk',
    mobile: 'Mobiel',
    home: 'Telefoon thuis',
    main: 'Hoofdnummer',
    assistant: 'Telefoon assistent',
    fax: 'Fax',
    pager: 'Semafoon',
    other: 'Ander nummer',
  } satisfies Record<ImportField, string>,
  callBacks: 'Terug te bellen',
  nobody: 'Niemand wacht op een telefoontje.',
  since: (at: string) => `Wacht sinds ${at}`,
  settled: (at: string, by: string | null) => (by === null ? `Gesproken om ${at}` : `Gesproken om ${at} door ${by}`),
  call: 'Bellen',
  done: 'Gedaan',
  later: 'Later terugbellen',
  toCallBack: (who: string) => `${who} staat op de terugbellijst.`,
  notes: 'Notities',
  note: 'Noteer iets over dit nummer',
  lasts: 'Hoe lang de notitie blijft staan',
  lastsFor: { always: 'Blijft', today: 'Vandaag', tomorrow: 'T/m morgen', week: 'T/m vrijdag', fortnight: 'Twee weken', month: 'Een maand' } satisfies Record<Lasts, string>,
  until: (day: string) => `t/m ${day}`,
  keepNote: 'Noteer',
  noted: 'Genoteerd.',
  removeNote: (text: string) => `Verwijder de notitie: ${text.slice(0, 60)}`,
  kept: 'Wat er van iemand wordt bewaard',
  keptHow: 'Gesprekken en notities verdwijnen vanzelf na de ingestelde tijd. Vraagt iemand ernaar, geef dan hier alles mee of wis het.',
  handOver: 'Bewaar als bestand',
  handedOver: (calls: number, notes: number, people: number) =>
    `Bewaard als bestand: ${[one(calls, 'gesprek', 'gesprekken'), one(notes, 'notitie', 'notities'), one(people, 'contact', 'contacten')].join(', ')}.`,
  erase: 'Wissen…',
  eraseSure: 'Ja, alles van dit nummer wissen',
  eraseNot: 'Niet wissen',
  erased: (calls: number, notes: number, people: number) =>
    `Gewist: ${[one(calls, 'gesprek', 'gesprekken'), one(notes, 'notitie', 'notities'), one(people, 'contact', 'contacten')].join(', ')}.`,
};
