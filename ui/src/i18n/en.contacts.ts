// English, of lists of contacts, notes, who is to be called back, and what is kept.

import type { ImportEncoding } from '../bindings';
import type { contacts as nl, storeCodes as nlCodes } from './nl.contacts';

const plural = new Intl.PluralRules('en');
const one = (n: number, single: string, many: string): string => `${n} ${plural.select(n) === 'one' ? single : many}`;

const ENCODINGS: Record<ImportEncoding, string> = { utf8: 'UTF-8', utf16: 'UTF-16', windows1252: 'Windows-1252' };

export const storeCodes: typeof nlCodes = {
  store_not_encrypted: {
    what: 'Calls, contacts and notes are kept on this computer without encryption',
    todo: 'There is no keyring for the key. Only your own user can read the file.',
  },
  store_locked: {
    what: 'The keyring does not hand out the key of your data',
    todo: 'Earlier calls and contacts are missing now. Unlock the keyring and start Balie again.',
  },
  store_key_lost: {
    what: 'The key of your data is gone',
    todo: 'Balie keeps the old file beside it and begins anew. Import your contacts again.',
  },
  store_damaged: {
    what: 'The file with calls and contacts is damaged',
    todo: 'Balie keeps the old file beside it and begins anew. Import your contacts again.',
  },
  store_newer: {
    what: 'A newer version of Balie wrote your data',
    todo: 'Balie leaves them alone; what you do now is not kept. Update Balie.',
  },
  store_failed: {
    what: 'Calls and contacts cannot be kept',
    todo: 'Calls work as always. Check whether the disk is full or the folder is protected.',
  },
  unknown_entry: { what: 'That is no longer there', todo: 'Look it up again.' },
  bad_file: { what: 'This file cannot be read as a list of contacts', todo: 'Choose a CSV or vCard file.' },
  screen_pop_failed: {
    what: 'What should open for a caller does not start',
    todo: 'Calls go on as always. Check the address or the program in the settings file.',
  },
};

export const contacts: typeof nl = {
  heading: 'Contacts',
  intro: 'Import a list from Outlook, an address book or a spreadsheet (CSV or vCard). The names appear in search and calls.',
  choose: 'Choose a file…',
  working: 'Working…',
  preview: (name) => `Look at ${name}`,
  looks: (rows, encoding, delimiter) =>
    [one(rows, 'contact', 'contacts'), ENCODINGS[encoding], ...(delimiter === null ? [] : [`separated by ${delimiter === '\t' ? 'tab' : delimiter}`])].join(', '),
  columns: 'Columns',
  column: 'Column',
  means: 'Means',
  examples: 'Examples',
  noNames: 'Choose at least one column with a name or a company.',
  keep: 'Import',
  leave: 'Do not import',
  added: (added, left) => `${one(added, 'contact', 'contacts')} imported${left === 0 ? '' : `, ${left} left out`}.`,
  problems: 'Not everything could come along',
  line: (line) => `Line ${line}`,
  why: {
    too_many_values: 'More values than columns: left out',
    no_name: 'Neither a name nor a company: left out',
    no_number: 'Not a telephone number: imported without it',
    broken_card: 'Not a whole card: left out',
    too_many: 'Too many contacts: the rest is left out',
  },
  lists: 'Imported lists',
  none: 'No list imported yet.',
  count: (n) => one(n, 'contact', 'contacts'),
  takeBack: 'Take back',
  takeBackOf: (name) => `Take back the list ${name}`,
  removed: (name) => `The list ${name} is gone again.`,
  fields: {
    ignore: 'Do not import',
    name: 'Whole name',
    given_name: 'First name',
    middle_name: 'Middle name',
    family_name: 'Last name',
    suffix: 'Suffix',
    company: 'Company',
    department: 'Department',
    job_title: 'Job title',
    email: 'E-mail',
    remark: 'Remark',
    uid: 'Reference',
    work: 'Work phone',
    mobile: 'Mobile',
    home: 'Home phone',
    main: 'Main number',
    assistant: 'Assistant',
    fax: 'Fax',
    pager: 'Pager',
    other: 'Other number',
  },
  callBacks: 'To call back',
  nobody: 'Nobody waits for a call.',
  since: (at) => `Waiting since ${at}`,
  settled: (at, by) => (by === null ? `Spoken to at ${at}` : `Spoken to at ${at} by ${by}`),
  call: 'Call',
  done: 'Done',
  later: 'Call back later',
  toCallBack: (who) => `${who} is on the list to call back.`,
  notes: 'Notes',
  note: 'Note something about this number',
  lasts: 'How long the note stays',
  lastsFor: { always: 'Stays', today: 'Today', tomorrow: 'To tomorrow', week: 'To Friday', fortnight: 'Two weeks', month: 'A month' },
  until: (day) => `to ${day}`,
  keepNote: 'Note',
  noted: 'Noted.',
  removeNote: (text) => `Remove the note: ${text.slice(0, 60)}`,
  kept: 'What is kept of somebody',
  keptHow: 'Calls and notes go by themselves after the time that is set. When somebody asks, hand everything over here or erase it.',
  handOver: 'Save as a file',
  handedOver: (calls, notes, people) =>
    `Saved as a file: ${[one(calls, 'call', 'calls'), one(notes, 'note', 'notes'), one(people, 'contact', 'contacts')].join(', ')}.`,
  erase: 'Erase…',
  eraseSure: 'Yes, erase all of this number',
  eraseNot: 'Do not erase',
  erased: (calls, notes, people) =>
    `Erased: ${[one(calls, 'call', 'calls'), one(notes, 'note', 'notes'), one(people, 'contact', 'contacts')].join(', ')}.`,
};
