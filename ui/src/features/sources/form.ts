// What is filled in of an address book or directory, and what becomes of it. Numbers are text while they are typed.

import type { SourceEncryption, SourceForm, SourcePlace, SourceView } from '../../bindings';

/** What can be filled in: the directory of an exchange comes with its account. */
export type FilledKind = Exclude<SourcePlace['kind'], 'exchange'>;

/** The form as it is typed. */
export interface Typed {
  kind: FilledKind;
  name: string;
  /** E-mail address or server of an address book; host of a directory. */
  address: string;
  user: string;
  password: string;
  minutes: string;
  authority: string;
  port: string;
  encryption: SourceEncryption;
  base: string;
  filter: string;
  tenant: string;
  client: string;
  contacts: boolean;
  users: boolean;
  people: boolean;
  calendars: boolean;
  /** Do not disturb by one's own calendar. */
  ownDnd: boolean;
  /** Notes of calls go in one's own calendar, too. */
  callNotes: boolean;
  mailboxes: string;
  /** The sign-in that ended well; null: none. */
  signIn: number | null;
}

export const EMPTY: Typed = {
  kind: 'carddav', name: '', address: '', user: '', password: '', minutes: '15', authority: '', port: '', encryption: 'tls', base: '', filter: '',
  tenant: '', client: '', contacts: true, users: true, people: false, calendars: false, ownDnd: false, callNotes: false, mailboxes: '', signIn: null,
};

/** A source that is there already, to be changed. Its password never comes back. */
export function typedOf({ name, settings }: SourceView): Typed {
  const { place } = settings;
  const common = { ...EMPTY, name, minutes: String(settings.every_minutes ?? EMPTY.minutes), authority: settings.tls_ca_file ?? '', ownDnd: settings.own_dnd ?? false, callNotes: settings.call_notes ?? false };
  if (place.kind === 'microsoft') {
    const { tenant, client, contacts, users, people, calendars, mailboxes } = place;
    return { ...common, kind: 'microsoft', tenant, client, contacts, users, people, calendars, mailboxes };
  }
  if (place.kind === 'outlook') return { ...common, kind: 'outlook' };
  if (place.kind === 'exchange') return common;
  if (place.kind === 'carddav') return { ...common, kind: 'carddav', address: place.address, user: place.user, calendars: place.calendars };
  const { host, port, encryption, base, filter, user } = place;
  return { ...common, user, kind: 'ldap', address: host, port: port === 0 ? '' : String(port), encryption, base, filter };
}

/** Whether one's own calendar is there, too. */
export const hasCalendars = (kind: FilledKind): boolean => kind === 'carddav' || kind === 'microsoft';

/** Whether notes of calls can be written in that calendar. */
export const takesNotes = (kind: FilledKind): boolean => hasCalendars(kind) || kind === 'outlook';

export type Lacking = 'address' | 'client' | 'what' | 'minutes' | 'port';

const isWithin = (text: string, most: number): boolean => /^\d{1,5}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= most;

/** What must still be filled in, in the order of the fields. */
export function lacks(typed: Typed): Lacking[] {
  const lacking: Lacking[] = [];
  if (typed.kind === 'microsoft') {
    if (!/^[A-Za-z0-9._-]+$/.test(typed.client.trim())) lacking.push('client');
    if (!typed.contacts && !typed.users && !typed.people && typed.mailboxes.trim() === '') lacking.push('what');
  } else if (typed.kind !== 'outlook' && typed.address.trim() === '') lacking.push('address');
  if (typed.kind === 'ldap' && typed.port.trim() !== '' && !isWithin(typed.port, 65_535)) lacking.push('port');
  if (!isWithin(typed.minutes, 10_080)) lacking.push('minutes');
  return lacking;
}

/** The form that the program takes. What cannot be filled in here stays as it was. */
export function formOf(typed: Typed, before: SourceView | null): SourceForm {
  const user = typed.user.trim();
  const known = before?.settings.place;
  const place = (): SourcePlace => {
    switch (typed.kind) {
      case 'carddav':
        return { kind: 'carddav', address: typed.address.trim(), user, calendars: typed.calendars };
      case 'outlook':
        return { kind: 'outlook' };
      case 'ldap':
        return {
          kind: 'ldap', host: typed.address.trim(), port: Number(typed.port.trim()), encryption: typed.encryption, user,
          base: typed.base.trim(), filter: typed.filter.trim(), attributes: known?.kind === 'ldap' ? known.attributes : {},
        };
      case 'microsoft': {
        const { contacts, users, people, calendars } = typed;
        const cloud = known?.kind === 'microsoft' ? { login: known.login, service: known.service } : { login: '', service: '' };
        return {
          kind: 'microsoft', tenant: typed.tenant.trim(), client: typed.client.trim(), contacts, users, people, calendars,
          mailboxes: typed.mailboxes.trim(), ...cloud,
        };
      }
    }
  };
  return {
    name: typed.name.trim(),
    password: typed.kind === 'microsoft' ? '' : typed.password,
    ...(typed.kind === 'microsoft' && typed.signIn !== null ? { sign_in: typed.signIn } : {}),
    settings: { every_minutes: Number(typed.minutes.trim()), tls_ca_file: typed.authority.trim(), own_dnd: hasCalendars(typed.kind) && typed.ownDnd, call_notes: takesNotes(typed.kind) && typed.callNotes, place: place() },
  };
}
