// Asks the program to watch the lines of all colleagues whose lamps do not come by themselves, once they are known and their account can be reached.

import type { AppView } from '../../bindings';

/** What is to be watched by one account. */
export interface Watch {
  account: string;
  uris: string[];
}

/** The extensions to watch by each account; empty while nobody can be asked. */
export function watchable(view: AppView): Watch[] {
  const registered = view.accounts.filter((account) => account.state === 'registered');
  const watches = registered.map(({ id }) => ({
    account: id,
    uris: view.colleagues.filter((one) => one.watch && one.account === id && one.number !== '').map((one) => one.number),
  }));
  return watches.filter((watch) => watch.uris.length > 0);
}
