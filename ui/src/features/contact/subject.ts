// Which call the right column is about.

import type { CallView } from '../../bindings';

/** The caller in conversation, else the ringing one who was chosen (`picked`) or rings longest, else the call being made, else the newest on hold; a consultation stands for its caller. */
export function subject(calls: readonly CallView[], picked: number | null = null): CallView | null {
  const live = calls.filter((call) => call.state !== 'ended');
  const of = (call: CallView | undefined): CallView | null =>
    call === undefined ? null : (live.find((one) => one.id === call.consult_of) ?? call);
  const talking = live.find((call) => call.state === 'active' || call.state === 'held_by_peer' || call.state === 'transferring');
  const ringing = live
    .filter((call) => call.direction === 'in' && call.state === 'ringing')
    .sort((a, b) => Number(b.id === picked) - Number(a.id === picked) || a.started_ms - b.started_ms)[0];
  const made = live.find((call) => call.direction === 'out' && call.answered_ms === null);
  const held = live.filter((call) => call.state === 'held').sort((a, b) => b.since_ms - a.since_ms)[0];
  return of(talking ?? (made === undefined || made.consult_of === null ? undefined : made) ?? ringing ?? made ?? held);
}
