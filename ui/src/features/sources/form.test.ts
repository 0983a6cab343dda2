import { expect, it } from 'vitest';
import type { SourceView } from '../../bindings';
import { EMPTY, formOf, lacks, typedOf } from './form';

const directory: SourceView = {
  id: 3, name: 'Gids', state: 'waiting', trouble: null, detail: null, done: 0, of: 0, contacts: 5, synced_ms: 1, next_ms: 2, takes_contacts: false, unwritten: null,
  settings: {
    every_minutes: 30, tls_ca_file: '/etc/ca.pem', own_dnd: false, call_notes: false,
    place: { kind: 'ldap', host: 'ad.example', port: 3890, encryption: 'start_tls', user: 'jan', base: 'dc=x', filter: '(a=b)', attributes: { work: 'ipPhone' } },
  },
};

it('gives back what is there when nothing is changed, without a password', () => {
  const form = formOf(typedOf(directory), directory);
  expect(form).toEqual({ name: 'Gids', password: '', settings: directory.settings });
});

it('says what is lacking, and takes empty numbers as the usual ones', () => {
  expect(lacks(EMPTY)).toEqual(['address']);
  expect(lacks({ ...EMPTY, kind: 'ldap', address: 'ad', port: '0', minutes: 'x' })).toEqual(['port', 'minutes']);
  const typed = { ...EMPTY, kind: 'ldap' as const, address: ' ad ' };
  expect(lacks(typed)).toEqual([]);
  const { place } = formOf(typed, null).settings;
  expect(place).toMatchObject({ kind: 'ldap', host: 'ad', port: 0, encryption: 'tls' });
});

it('lets notes go to whatever has a calendar that takes them, and to nothing else', () => {
  const kinds = ['carddav', 'microsoft', 'outlook', 'ldap'] as const;
  const settings = kinds.map((kind) => formOf({ ...EMPTY, kind, callNotes: true, ownDnd: true }, null).settings);
  expect(settings.map((one) => one.call_notes)).toEqual([true, true, true, false]);
  expect(settings.map((one) => one.own_dnd)).toEqual([true, true, false, false]);
});
