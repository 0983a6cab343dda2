// Lists of contacts, notes and call-backs of the scripted program: every file is the same small table.

import type { CallBackView, Command, ContactSourceView, ErasedReport, ImportField, ImportPreview, ImportReport, NoteView, PrivacyReport } from '../../bindings';
import { HostError } from '../types';

const COLUMNS: readonly [string, ImportField, string[]][] = [
  ['Voornaam', 'given_name', ['Zoë', 'Piet']],
  ['Achternaam', 'family_name', ['de Wit', 'Smit']],
  ['Telefoon op werk', 'work', ['030 231 88 00', '']],
  ['Postcode', 'ignore', ['3511 AB', '']],
];

const digits = (text: string): string => text.replace(/\D/g, '');

export class Kept {
  private lists: ContactSourceView[] = [];
  private notes: (NoteView & { number: string })[] = [];
  private callBacks: CallBackView[] = [];
  private next = 1;

  run(command: Command): unknown {
    switch (command.cmd) {
      case 'contacts.lookup':
        return [];
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
      case 'privacy.export':
        return { contacts: [], calls: [], notes: this.notesOf(command.number), call_backs: [] } satisfies PrivacyReport;
      case 'privacy.erase': {
        const gone = this.notesOf(command.number);
        this.notes = this.notes.filter((note) => !gone.includes(note));
        return { contacts: 0, calls: 0, notes: gone.length, call_backs: 0 } satisfies ErasedReport;
      }
      default:
        return {};
    }
  }

  private notesOf(number: string | undefined): NoteView[] {
    return this.notes.filter((note) => number !== undefined && digits(note.number) === digits(number));
  }
}
