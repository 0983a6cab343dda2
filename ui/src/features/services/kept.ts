// What is common to the lists that the user keeps at the exchange.

import { HostError } from '../../host/types';
import type { Messages } from '../../i18n/nl';

/** What went wrong, in words. */
export function trouble(t: Messages, error: unknown): string {
  if (!(error instanceof HostError)) return t.kept.failed;
  const words = t.codes[error.code];
  return `${words.what}. ${words.todo}`;
}
