// What is kept of somebody: handed over as a file, or erased; what came of it in words.

import type { PrivacyReport } from '../../bindings';
import type { Desk } from '../../shared/desk.svelte';

/** Of whom: whoever has this number, or a contact with all numbers. */
export type Subject = { number: string } | { contact: number };

/** How long the browser may take to read what it saves. */
const READ_MS = 10_000;

/** Everything that is kept of somebody. */
export const known = (desk: Desk, of: Subject): Promise<PrivacyReport> => desk.ask({ cmd: 'privacy.export', ...of });

/** Hands over everything that is kept of somebody as a file that carries his number. */
export async function handOver(desk: Desk, of: Subject, number: string): Promise<string> {
  const kept = await known(desk, of);
  const link = document.createElement('a');
  const address = URL.createObjectURL(new Blob([`${JSON.stringify(kept, null, 2)}\n`], { type: 'application/json' }));
  link.href = address;
  link.download = `balie-${number.replace(/[^0-9+]/g, '')}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), READ_MS);
  return desk.t.contacts.handedOver(kept.calls.length, kept.notes.length, kept.contacts.length);
}

/** Erases everything that is kept of somebody, or of everybody, and says where it can come back from. */
export async function erase(desk: Desk, of: Subject | { everybody: true }): Promise<string> {
  const t = desk.t.contacts;
  const gone = await desk.ask({ cmd: 'privacy.erase', ...of });
  const erased = t.erased(gone.calls, gone.notes, gone.contacts);
  return gone.sources.length === 0 ? erased : `${erased} ${t.comesBack(gone.sources)}`;
}
