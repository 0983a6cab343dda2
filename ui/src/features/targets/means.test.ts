// A voicemail is never asked, a place to park at only parks, and nobody is sent while another one is consulted.

import { expect, it } from 'vitest';
import type { CallAction, CallView, TargetView } from '../../bindings';
import type { Flow } from '../transfers/flow';
import { wayMeans } from './means';

const call = (actions: CallAction[], state: CallView['state'] = 'active'): CallView => ({
  id: 7, account: 'main', direction: 'in', state, peer: { uri: '', name: 'Jansen', number: '0318' }, vip: false, via: null, diverted_from: null,
  started_ms: 0, answered_ms: 1, since_ms: 0, muted: false, secure: false, encryption: 'none', codec: null, quality: 'good', quality_cause: null, delay: { rx_ms: null, tx_ms: null }, figures: { rx: { mos: null, loss_percent: null, jitter_ms: null }, tx: { mos: null, loss_percent: null, jitter_ms: null }, round_trip_ms: null, buffer_ms: null }, no_sound: false,
  reason: null, status: null, consult_of: null, conference: false, transfer: null, queue: null, recording: null, actions,
});
const mobile: TargetView = { kind: 'mobile', to: '0612345678', shown: '06 1234 5678', way: 'ask' };
const mailbox: TargetView = { kind: 'voicemail', to: '*55202', shown: '202', way: 'send' };
const place: TargetView = { kind: 'park', to: '202', shown: '202', way: 'park' };
const talking = call(['hangup', 'transfer', 'consult', 'park']);

it('asks who can be asked, and sends who cannot', () => {
  const now = { calls: [talking], flows: [] };
  expect(wayMeans(now, mobile, false)).toEqual({ do: 'consult', call: talking, to: '0612345678' });
  expect(wayMeans(now, mobile, true)).toEqual({ do: 'cold', call: talking, to: '0612345678' });
  expect(wayMeans(now, mailbox, false)).toEqual({ do: 'cold', call: talking, to: '*55202' });
  expect(wayMeans(now, place, false)).toEqual({ do: 'park', call: talking, slot: '202' });
});

it('only calls while nobody is on the line, and parks nobody then', () => {
  const now = { calls: [], flows: [] };
  expect(wayMeans(now, mobile, false)).toEqual({ do: 'dial', to: '0612345678' });
  expect(wayMeans(now, mobile, true)).toEqual({ do: 'nothing' });
  expect(wayMeans(now, mailbox, false)).toEqual({ do: 'dial', to: '*55202' });
  expect(wayMeans(now, place, false)).toEqual({ do: 'nothing' });
});

it('leaves a caller with whom he is consulted about', () => {
  const caller = call(['resume', 'complete_transfer', 'cancel_transfer'], 'held');
  const flow: Flow = { caller, consult: call([]), to: { uri: '', name: 'Piet', number: '212' }, stage: 'consulting' };
  for (const way of [mobile, mailbox]) expect(wayMeans({ calls: [caller], flows: [flow] }, way, false).do).toBe('other');
});
