// What is filled in of an address book or directory, and what becomes of it. Numbers are text while they are typed.

import type { SourceEncryption, SourceForm, SourcePlace, SourceView } from '../../bindings';

/** The form as it is typed. */
export interface Typed {
  kind: SourcePlace['kind'];
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
}

export const EMPTY: Typed = {
  kind: 'carddav', name: '', address: '', user: '', password: '', minutes: '15', authority: '', port: '', encryption: 'tls', base: '', filter: '',
};

/** A source that is there already, to be changed. Its password never comes back. */
export function typedOf({ name, settings }: SourceView): Typed {
  const { place } = settings;
  const common = { ...EMPTY, name, minutes: String(settings.every_minutes ?? EMPTY.minutes), authority: settings.tls_ca_file ?? '', user: place.user };
  if (place.kind === 'carddav') return { ...common, kind: 'carddav', address: place.address };
  const { host, port, encryption, base, filter } = place;
  return { ...common, kind: 'ldap', address: host, port: port === 0 ? '' : String(port), encryption, base, filter };
}

export type Lacking = 'address' | 'minutes' | 'port';

const isWithin = (text: string, most: number): boolean => /^\d{1,5}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= most;

/** What must still be filled in, in the order of the fields. */
export function lacks(typed: Typed): Lacking[] {
  const lacking: Lacking[] = [];
  if (typed.address.trim() === '') lacking.push('address');
  if (typed.kind === 'ldap' && typed.port.trim() !== '' && !isWithin(typed.port, 65_535)) lacking.push('port');
  if (!isWithin(typed.minutes, 10_080)) lacking.push('minutes');
  return lacking;
}

/** The form that the program takes. What cannot be filled in here stays as it was. */
export function formOf(typed: Typed, before: SourceView | null): SourceForm {
  const user = typed.user.trim();
  const known = before?.settings.place;
  const place: SourcePlace =
    typed.kind === 'carddav'
      ? { kind: 'carddav', address: typed.address.trim(), user }
      : {
          kind: 'ldap', host: typed.address.trim(), port: Number(typed.port.trim()), encryption: typed.encryption, user,
          base: typed.base.trim(), filter: typed.filter.trim(), attributes: known?.kind === 'ldap' ? known.attributes : {},
        };
  return {
    name: typed.name.trim(),
    password: typed.password,
    settings: { every_minutes: Number(typed.minutes.trim()), tls_ca_file: typed.authority.trim(), place },
  };
}
