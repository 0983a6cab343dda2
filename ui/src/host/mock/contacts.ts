// Lists of contacts, notes and call-backs of the scripted program: every file is the same small table.

import type { AvailabilityView, CallBackView, Command, ContactSourceView, ContactView, ErasedReport, ImportField, ImportPreview, ImportReport, NoteView, PrivacyReport, ScreenPopView, SearchHit } from '../../bindings';
import { HostError } from '../types';

const COLUMNS: readonly [string, ImportField, string[]][] = [
  ['Voornaam', 'given_name', ['Zoë', 'Piet']],
  ['Achternaam', 'family_name', ['de Wit', 'Smit']],
  ['Telefoon op werk', 'work', ['030 231 88 00', '']],
  ['Postcode', 'ignore', ['3511 AB', '']],
];

/** Of whom something is handed over or erased. */
interface Chosen {
  number?: string;
  contact?: number;
}

/** The number that somebody has. */
const HIS_NUMBER = '0302318800';

const digits = (text: string): string => text.replace(/\D/g, '');

export class Kept {
  private lists: ContactSourceView[] = [];
  private notes: (NoteView & { number: string })[] = [];
  private callBacks: CallBackView[] = [];
  private next = 1;
  /** When everybody is free again, for tests. */
  freeAt = Date.now() + 3_600_000;
  /** Sources that have whoever is erased, for tests. */
  alsoIn: string[] = [];
  private days = 90;
  private pop: ScreenPopView = { url: '', command: [], answered: false, example: '' };
  /** Two entries with the number 0302318800, one person or two. */
  private isOne = true;

  run(command: Command): unknown {
    switch (command.cmd) {
      case 'contacts.lookup':
        return this.lookup(digits(command.number));
      case 'contacts.get':
        return this.contact(command.contact);
      case 'contacts.merge':
        this.isOne = true;
        return this.contact(command.contacts[0] ?? 0);
      case 'contacts.split':
        this.isOne = false;
        return {};
      case 'contacts.availability':
        return command.numbers.map((number) => ({ number, kind: 'busy', until_ms: this.freeAt, free_ms: this.freeAt }) satisfies AvailabilityView);
      case 'contacts.source_order':
        this.lists = command.order.flatMap((id) => this.lists.filter((list) => list.id === id));
        return {};
      case 'contacts.sources':
        return this.lists;
      case 'contacts.preview':
        if (command.name?.endsWith('.png') === true) throw new HostError('bad_file', 'the file is no text');
        return {
          kind: 'csv', encoding: 'windows1252', delimiter: ';', rows: 3,
          columns: COLUMNS.map(([header, field, samples]) => ({ header, field, samples })),
        } satisfies ImportPreview;
      case 'contacts.import': {
        const source = this.next++;
        this.lists = [...this.lists, { id: source, kind: 'csv', name: command.name ?? '', synced_ms: Date.now(), contacts: 2 }];
        return { source, added: 2, left_out: 1, problems: [{ line: 4, kind: 'no_name' }] } satisfies ImportReport;
      }
      case 'contacts.remove_source':
        this.lists = this.lists.filter((list) => list.id !== command.source);
        return {};
      default:
        return this.ofPerson(command);
    }
  }

  private lookup(number: string): SearchHit[] {
    if (number !== HIS_NUMBER) return [];
    const hit = (contact: number, detail: string): SearchHit => ({ kind: 'contact', name: 'Zoë de Wit', detail, contact, target: number });
    return this.isOne ? [hit(901, 'Zilver')] : [hit(901, 'Zilver'), hit(902, 'Goud')];
  }

  private contact(id: number): ContactView {
    const part = (contact: number, source_name: string, gives: ImportField[]) => ({ contact, source: contact, source_name, name: 'Zoë de Wit', gives });
    return {
      id, source: 1, name: 'Zoë de Wit', company: 'Zilver', department: '', job_title: '', email: '', remark: '', favourite: false, numbers: [],
      parts: [part(901, 'Zaak', ['name', 'work']), part(902, 'Gids', ['company'])],
    };
  }

  private ofPerson(command: Command): unknown {
    switch (command.cmd) {
      case 'note.list':
        return this.notes.filter((note) => digits(note.number) === digits(command.number));
      case 'note.add': {
        const note = { id: this.next++, number: command.number, text: command.text.trim(), at_ms: Date.now(), until_ms: command.until_ms ?? null };
        this.notes = [note, ...this.notes];
        return note;
      }
      case 'note.remove':
        this.notes = this.notes.filter((note) => note.id !== command.note);
        return {};
      case 'call_back.add':
        this.callBacks = [...this.callBacks, { id: this.next++, account: 'main', name: command.name ?? '', number: command.number, since_ms: Date.now(), done_ms: null, done_by: null }];
        return this.callBacks;
      case 'call_back.list':
        return this.callBacks;
      case 'call_back.done':
        this.callBacks = this.callBacks.map((one) => (one.id === command.call_back ? { ...one, done_ms: Date.now(), done_by: 'Receptie' } : one));
        return this.callBacks;
      case 'privacy.get':
        return { history_days: this.days };
      case 'privacy.set':
        this.days = command.history_days;
        return { history_days: this.days };
      case 'screen_pop.get':
        return this.pop;
      case 'screen_pop.set': {
        const { url, command: parts, answered } = command;
        if (url !== '' && !url.startsWith('https://')) throw new HostError('bad_value', 'url of screen_pop begins with https:// and a fixed server');
        this.pop = { url, command: parts, answered: answered ?? false, example: url.replace('{number}', '%2B31612345678') };
        return this.pop;
      }
      case 'privacy.export':
        return { contacts: this.peopleOf(command), calls: [], notes: this.notesOf(command), call_backs: [] } satisfies PrivacyReport;
      case 'privacy.erase': {
        const gone = command.everybody === true ? this.notes : this.notesOf(command);
        this.notes = this.notes.filter((note) => !gone.includes(note));
        return { contacts: this.peopleOf(command).length, sources: command.everybody === true ? [] : this.alsoIn, calls: 0, notes: gone.length, call_backs: 0 } satisfies ErasedReport;
      }
      default:
        return {};
    }
  }

  private peopleOf({ contact }: Chosen): ContactView[] {
    return contact === undefined ? [] : [this.contact(contact)];
  }

  /** A contact has one number. */
  private notesOf({ number, contact }: Chosen): NoteView[] {
    const of = contact === undefined ? number : HIS_NUMBER;
    return this.notes.filter((note) => of !== undefined && digits(note.number) === digits(of));
  }
}
