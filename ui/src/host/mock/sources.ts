// Address books and directories of the scripted program: reading one takes a moment, and a wrong password is one that holds "fout".

import type { Command, SourceForm, SourceSignedIn, SourceTest, SourceView } from '../../bindings';
import { HostError } from '../types';

export class Feeds {
  private all: SourceView[] = [];
  private next = 40;
  /** The person at the browser is done, for tests. */
  person: (news: Partial<SourceSignedIn>) => void = () => undefined;
  private readonly tell: (all: SourceView[]) => void;
  private readonly pace: number;

  constructor(pace: number, tell: (all: SourceView[]) => void) {
    this.pace = pace;
    this.tell = tell;
  }

  run(command: Command): unknown {
    switch (command.cmd) {
      case 'sources.list':
        return this.all;
      case 'sources.test':
        return this.test(command.form);
      case 'sources.add': {
        const added = this.made(this.next++, command.form);
        this.change([...this.all, added]);
        this.read(added.id);
        return added;
      }
      case 'sources.change': {
        const changed = this.made(command.source, command.form);
        this.change(this.all.map((one) => (one.id === command.source ? { ...changed, contacts: one.contacts } : one)));
        this.read(changed.id);
        return changed;
      }
      case 'sources.remove':
        if (!this.all.some((one) => one.id === command.source)) throw new HostError('unknown_entry', 'there is no such entry');
        this.change(this.all.filter((one) => one.id !== command.source));
        return {};
      case 'sources.sync':
        for (const { id } of this.all.filter((one) => one.id === (command.source ?? one.id))) this.read(id);
        return {};
      case 'sources.sign_in': {
        const code = command.way === 'code' ? 'ABCD-EFGH' : null;
        return { sign_in: this.next++, page: 'https://microsoft.com/devicelogin', code, seconds: 600 };
      }
      case 'sources.signed_in':
        return new Promise<SourceSignedIn>((over) => {
          this.person = (news) => over({ ok: false, account: null, trouble: null, detail: null, ...news });
        });
      default:
        return {};
    }
  }

  /** Something of one source is another, for tests too. */
  set(id: number, news: Partial<SourceView>): void {
    this.change(this.all.map((one) => (one.id === id ? { ...one, ...news } : one)));
  }

  /** An exchange has told its directory, for tests. */
  exchange(name: string, contacts: number): void {
    const form: SourceForm = { name, settings: { every_minutes: 60, place: { kind: 'exchange', account: name } } };
    this.change([...this.all, { ...this.made(90, form), contacts, synced_ms: Date.now() }]);
  }

  private test(form: SourceForm): SourceTest {
    const good = { ok: true, names: ['Zaak', 'Privé'], takes_contacts: true, trouble: null, detail: null };
    return form.password?.includes('fout') === true ? { ...good, ok: false, names: [], trouble: 'refused' } : good;
  }

  private made(id: number, form: SourceForm): SourceView {
    const { place } = form.settings;
    const server = place.kind === 'microsoft' ? 'Microsoft 365' : place.kind === 'outlook' ? 'Outlook' : place.kind === 'ldap' ? place.host : place.kind === 'exchange' ? place.account : place.address;
    return {
      id, name: (form.name ?? '') || server, settings: form.settings, state: 'waiting', trouble: null, detail: null, done: 0, of: 0,
      contacts: 0, synced_ms: null, next_ms: null, takes_contacts: place.kind === 'carddav', unwritten: null,
    };
  }

  private read(id: number): void {
    this.set(id, { state: 'syncing', trouble: null, done: 0, of: 0, next_ms: null });
    setTimeout(() => this.set(id, { done: 12, of: 48 }), this.pace);
    setTimeout(() => this.set(id, { state: 'waiting', done: 0, of: 0, contacts: 48, synced_ms: Date.now(), next_ms: Date.now() + 900_000 }), this.pace * 4);
  }

  private change(all: SourceView[]): void {
    this.all = all;
    this.tell(all);
  }
}
