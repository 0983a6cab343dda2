// What it means to let a caller go over somebody.

import type { CallView, Command, TargetWay } from '../../bindings';

export type DropMeaning = 'consult' | 'cold' | 'redirect' | 'park';

/** What a drop would do; null: nothing. A caller who still rings is sent on without being answered. */
export function dropMeans(call: CallView, target: string, direct: boolean, way: TargetWay = 'ask'): DropMeaning | null {
  if (target === '') return null;
  if (way === 'park') return call.actions.includes('park') ? 'park' : null;
  if (call.direction === 'in' && call.state === 'ringing') return call.actions.includes('reject') ? 'redirect' : null;
  if (!direct && way === 'ask' && call.actions.includes('consult')) return 'consult';
  return call.actions.includes('transfer') ? 'cold' : null;
}

export function dropCommand(call: CallView, target: string, meaning: DropMeaning): Command {
  switch (meaning) {
    case 'consult':
      return { cmd: 'call.transfer.consult', call: call.id, to: target };
    case 'cold':
      return { cmd: 'call.transfer.blind', call: call.id, to: target };
    case 'park':
      return { cmd: 'call.park', call: call.id, slot: target };
    case 'redirect':
      return { cmd: 'call.redirect', call: call.id, to: target };
  }
}
