// A caller who is dropped on somebody is consulted about, unless it was asked to be direct.

import { describe, expect, it } from 'vitest';
import type { CallAction, CallView } from '../../bindings';
import { dropCommand, dropMeans } from './drop';

const call = (state: CallView['state'], actions: CallAction[]): CallView => ({
  id: 4, account: 'main', direction: 'in', state, peer: { uri: '', name: 'Jansen', number: '0318' }, vip: false, via: null, diverted_from: null, started_ms: 0,
  answered_ms: 1, since_ms: 0, muted: false, secure: false, encryption: 'none', codec: null, quality: 'good', quality_cause: null, delay: { rx_ms: null, tx_ms: null }, figures: { rx: { mos: null, loss_percent: null, jitter_ms: null }, tx: { mos: null, loss_percent: null, jitter_ms: null }, round_trip_ms: null, buffer_ms: null }, no_sound: false, reason: null, status: null,
  consult_of: null, conference: false, transfer: null, queue: null, recording: null, actions,
});

describe('a caller let go over somebody', () => {
  it('is asked about first, or sent at once with Ctrl', () => {
    const talking = call('active', ['hangup', 'transfer', 'consult']);
    expect(dropMeans(talking, '202', false)).toBe('consult');
    expect(dropMeans(talking, '202', true)).toBe('cold');
    expect(dropMeans(talking, '', true)).toBeNull();
    expect(dropCommand(talking, '202', 'cold')).toEqual({ cmd: 'call.transfer.blind', call: 4, to: '202' });
  });

  it('is sent on unanswered while he rings, and never twice', () => {
    expect(dropMeans(call('ringing', ['answer', 'reject']), '202', false)).toBe('redirect');
    expect(dropMeans(call('transferring', ['hangup', 'cancel_transfer']), '202', false)).toBeNull();
    expect(dropMeans(call('held', ['resume', 'complete_transfer', 'cancel_transfer']), '202', false)).toBeNull();
  });
});
