// The last transfers, and which caller one key calls back.

import type { TransferEntry } from '../../bindings';

/** Those that are over, newest first. Those under way stand with their call. */
export const over = (transfers: readonly TransferEntry[]): TransferEntry[] =>
  transfers.filter((one) => one.state === 'done' || one.state === 'failed');

/** Who waits where he was parked, and can be fetched. */
export const isParked = (one: TransferEntry): boolean => one.parked === 'waiting';

/** The one whose caller is called back by one key: the newest who got lost, else the newest of all. */
export function toCallBack(transfers: readonly TransferEntry[]): TransferEntry | null {
  const callable = over(transfers).filter((one) => one.call_back !== null && !isParked(one));
  return callable.find((one) => one.lost) ?? callable[0] ?? null;
}
