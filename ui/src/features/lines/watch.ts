// Asks the program to watch the lines of all colleagues, once they are known and the account can be reached.

import type { AppView } from '../../bindings';

/** The extensions to watch; empty while nobody can be asked. */
export function watchable(view: AppView): string[] {
  if (!view.accounts.some((account) => account.state === 'registered')) return [];
  return view.colleagues.map((colleague) => colleague.number).filter((number) => number !== '');
}
