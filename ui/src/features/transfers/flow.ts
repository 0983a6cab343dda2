// Which callers are on their way to somebody, as the program says it: who asks whom, and how far it is.

import type { CallView, PeerView } from '../../bindings';

/** A caller on his way. */
export interface Flow {
  caller: CallView;
  /** The call with the one he is to go to, during a consultation. */
  consult: CallView | null;
  to: PeerView;
  stage: 'consult_ringing' | 'consulting' | 'with_caller' | 'sending';
}

/** Every caller on his way, in the order of the calls. One that came back is none: he waits on hold again. */
export function flows(calls: readonly CallView[]): Flow[] {
  const found: Flow[] = [];
  for (const caller of calls) {
    if (caller.state === 'ended') continue;
    const under_way = caller.transfer?.state === 'trying' || caller.transfer?.state === 'ringing';
    const consult = calls.find((call) => call.consult_of === caller.id && call.state !== 'ended') ?? null;
    if (caller.transfer !== null && under_way) found.push({ caller, consult, to: caller.transfer.to, stage: 'sending' });
    else if (consult !== null) found.push({ caller, consult, to: consult.peer, stage: stageOf(caller, consult) });
  }
  return found;
}

function stageOf(caller: CallView, consult: CallView): Flow['stage'] {
  if (caller.state === 'active' || caller.state === 'held_by_peer') return 'with_caller';
  return consult.answered_ms === null ? 'consult_ringing' : 'consulting';
}

/** Whether a call is part of one. */
export function isIn(found: readonly Flow[], call: CallView): boolean {
  return found.some((flow) => flow.caller.id === call.id || flow.consult?.id === call.id);
}
