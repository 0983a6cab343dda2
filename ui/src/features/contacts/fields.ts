// What columns of a table of contacts can hold, and what goes wrong with them in words.

import type { ImportField } from '../../bindings';
import { HostError } from '../../host/types';
import type { Messages } from '../../i18n';

/** In the order in which they are offered. */
export const FIELDS: readonly ImportField[] = [
  'ignore', 'name', 'given_name', 'middle_name', 'family_name', 'suffix', 'company', 'department', 'job_title',
  'work', 'mobile', 'home', 'main', 'other', 'assistant', 'fax', 'pager', 'email', 'remark', 'uid',
];

/** The most that the program takes. */
export const MOST_BYTES = 64 * 1024 * 1024;

/** A list without names is of no use. */
export function holdsNames(mapping: readonly ImportField[]): boolean {
  return mapping.some((field) => field === 'name' || field === 'given_name' || field === 'family_name' || field === 'company');
}

/** What went wrong, and what to do about it. */
export function inWords(t: Messages, error: unknown): string {
  const { what, todo } = t.codes[error instanceof HostError ? error.code : 'internal'];
  return `${what}. ${todo}`;
}
