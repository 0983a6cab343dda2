// Whether somebody must be told that calls do not arrive, and in which words.

import type { AccountView } from '../../bindings';
import type { Messages } from '../../i18n';

/** An account that cannot be reached: trouble (red), or signed out by choice (calm). */
export interface Unreached {
  account: AccountView;
  trouble: boolean;
}

/** The account to warn about, trouble before choice; null when all is well or a first sign-in is under way. */
export function unreached(accounts: readonly AccountView[]): Unreached | null {
  const troubled = accounts.find(inTrouble);
  if (troubled !== undefined) return { account: troubled, trouble: true };
  const away = accounts.find((account) => account.state === 'unregistered');
  return away === undefined ? null : { account: away, trouble: away.reason !== null };
}

/** A try that follows a failure still counts as trouble, so that the band does not blink. */
function inTrouble(account: AccountView): boolean {
  if (account.state === 'failed' || account.state === 'unreachable') return true;
  return account.state === 'registering' && account.reason !== null;
}

/** When it is tried again, in words; empty when it is not. */
export function nextTry(texts: Messages, account: AccountView, now: number): string {
  if (account.state === 'registering') return texts.band.retrying;
  if (account.retry_at_ms === null) return '';
  return texts.band.retryIn(Math.max(0, Math.ceil((account.retry_at_ms - now) / 1000)));
}
