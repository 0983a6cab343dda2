// What Enter means in each situation; a wrong answer sends a caller to the wrong person.

import { describe, expect, it } from 'vitest';
import type { CallView } from '../../bindings';
import { flows } from './flow';
import { coldMeans, enterMeans } from './meaning';

const call = (id: number, part: Partial<CallView>): CallView => ({
  id, account: 'main', direction: 'in', state: 'active', peer: { uri: `sip:${id}@x`, name: `P${id}`, number: String(id) },
  vip: false, via: null, diverted_from: null, started_ms: 0, answered_ms: 1, since_ms: 0, muted: false, secure: false, encryption: 'none', codec: null,
  quality: 'good', quality_cause: null, delay: { rx_ms: null, tx_ms: null }, figures: { rx: { mos: null, loss_percent: null, jitter_ms: null }, tx: { mos: null, loss_percent: null, jitter_ms: null }, round_trip_ms: null, buffer_ms: null }, no_sound: false, reason: null, status: null, consult_of: null, conference: false, transfer: null, queue: null, recording: null, actions: [], ...part,
});
const talking = call(1, { actions: ['hangup', 'hold', 'transfer', 'consult'] });
const waiting = call(1, { state: 'held', actions: ['resume', 'complete_transfer', 'cancel_transfer'] });
const consult = (part: Partial<CallView> = {}): CallView =>
  call(202, { direction: 'out', consult_of: 1, actions: ['hangup', 'complete_transfer', 'cancel_transfer'], ...part });
const now = (calls: CallView[], target: string): Parameters<typeof enterMeans>[0] => ({ calls, flows: flows(calls), target });

describe('Enter', () => {
  it('dials while nobody is on the line, and while somebody only waits', () => {
    expect(enterMeans(now([], '202'))).toEqual({ do: 'dial', to: '202' });
    expect(enterMeans(now([call(1, { state: 'held', actions: ['resume', 'consult', 'transfer'] })], '202')).do).toBe('dial');
    expect(enterMeans(now([], '')).do).toBe('nothing');
  });

  it('consults for the one in conversation, then completes, ringing or answered', () => {
    expect(enterMeans(now([talking], '202'))).toEqual({ do: 'consult', call: talking, to: '202' });
    expect(enterMeans(now([waiting, consult()], '')).do).toBe('complete');
    expect(enterMeans(now([waiting, consult({ state: 'ringing', answered_ms: null })], '202')).do).toBe('complete');
  });

  it('never completes while somebody else is highlighted', () => {
    expect(enterMeans(now([waiting, consult()], '203')).do).toBe('other');
    expect(coldMeans(now([waiting, consult()], '203')).do).toBe('other');
  });

  it('is about a caller whom a transfer brought back', () => {
    const back = call(1, {
      state: 'held', actions: ['resume', 'transfer', 'consult', 'cancel_transfer'],
      transfer: { state: 'failed', to: { uri: '', name: '', number: '604' }, reason: 'no_answer', status: 480 },
    });
    expect(coldMeans(now([back], '203'))).toEqual({ do: 'cold', call: back, to: '203' });
    expect(enterMeans(now([talking, back], '203'))).toMatchObject({ do: 'consult', call: { id: 1, state: 'active' } });
  });
});

describe('Ctrl+Enter', () => {
  it('sends the one in conversation, and nobody else', () => {
    expect(coldMeans(now([talking], '202'))).toEqual({ do: 'cold', call: talking, to: '202' });
    expect(coldMeans(now([talking], '')).do).toBe('nothing');
    expect(coldMeans(now([], '202')).do).toBe('nothing');
    expect(coldMeans(now([call(1, { state: 'held', actions: ['resume', 'transfer'] })], '202')).do).toBe('nothing');
  });
});

describe('Ctrl+Enter while a call rings', () => {
  const rings = (id: number): CallView => call(id, { state: 'ringing', answered_ms: null, actions: ['answer', 'reject'] });

  it('sends the only one on, unanswered, while nobody is on the line', () => {
    expect(coldMeans(now([rings(5)], '202'))).toEqual({ do: 'redirect', call: rings(5), to: '202' });
    expect(coldMeans(now([rings(5), call(6, { state: 'held', actions: ['resume', 'transfer'] })], '202')).do).toBe('redirect');
    expect(coldMeans(now([rings(5)], '')).do).toBe('nothing');
    expect(enterMeans(now([rings(5)], '202')).do).toBe('dial');
  });

  it('is about the conversation where there is one, and about nobody while one is dialled', () => {
    expect(coldMeans(now([rings(5), talking], '202'))).toEqual({ do: 'cold', call: talking, to: '202' });
    expect(coldMeans(now([rings(5), call(8, { direction: 'out', state: 'dialing', answered_ms: null })], '202')).do).toBe('nothing');
  });

  it('sends none of several, unless one was chosen', () => {
    expect(coldMeans(now([rings(5), rings(6)], '202')).do).toBe('nothing');
    expect(coldMeans({ ...now([rings(5), rings(6)], '202'), picked: 6 })).toMatchObject({ do: 'redirect', call: { id: 6 } });
    expect(coldMeans({ ...now([rings(5), rings(6)], '202'), picked: 9 }).do).toBe('nothing');
  });
});

describe('a caller on his way', () => {
  it('is known by his consultation or his transfer, with its stage', () => {
    expect(flows([waiting, consult()])[0]?.stage).toBe('consulting');
    expect(flows([waiting, consult({ state: 'dialing', answered_ms: null })])[0]?.stage).toBe('consult_ringing');
    expect(flows([{ ...waiting, state: 'active' }, consult({ state: 'held' })])[0]?.stage).toBe('with_caller');
    const to = { uri: 'sip:202@x', name: 'P', number: '202' };
    const sending = call(1, { state: 'transferring', transfer: { state: 'ringing', to, reason: null, status: null } });
    expect(flows([sending])[0]).toMatchObject({ stage: 'sending', to });
    expect(flows([call(1, { state: 'held', transfer: { state: 'failed', to, reason: null, status: null } })])).toEqual([]);
    expect(flows([talking, consult({ state: 'ended' })])).toEqual([]);
  });
});
