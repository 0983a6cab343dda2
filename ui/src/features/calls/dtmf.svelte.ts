// Digits sent on each call, for show. The call id is the key; an entry goes with the page, not with the call.

import { SvelteMap } from 'svelte/reactivity';
import type { CallView } from '../../bindings';
import type { Desk } from '../../shared/desk.svelte';

const sent = new SvelteMap<number, string>();

/** What was sent on a call so far, the last 24 digits. */
export function sentDigits(call: number): string {
  return (sent.get(call) ?? '').slice(-24);
}

/** Sends one digit. */
export function sendDigit(desk: Desk, call: CallView, digit: string): void {
  sent.set(call.id, sentDigits(call.id) + digit);
  void desk.send({ cmd: 'call.dtmf', call: call.id, digits: digit });
}
