// What Enter and Ctrl+Enter mean now. One place, so that keys and buttons say and do the same, and no key sends a caller to somebody he was not asked to.

import type { CallView } from '../../bindings';
import type { Flow } from './flow';

/** What would happen. `other`: somebody else is highlighted while the user consults; nothing happens, and it is said. */
export type Meaning =
  | { do: 'nothing' }
  | { do: 'dial'; to: string }
  | { do: 'consult'; call: CallView; to: string }
  | { do: 'cold'; call: CallView; to: string }
  | { do: 'redirect'; call: CallView; to: string }
  | { do: 'park'; call: CallView; slot: string }
  | { do: 'complete'; flow: Flow }
  | { do: 'other'; flow: Flow };

export interface Now {
  calls: readonly CallView[];
  flows: readonly Flow[];
  /** Number of the highlighted one, or what was typed; empty for none. */
  target: string;
  /** Numbers that reach help; they are called apart from whatever goes on. */
  help?: readonly string[];
  /** The ringing call that was chosen, if one was. */
  picked?: number | null;
}

/** Whether a target reaches help, however it is written. */
export const isHelp = (target: string, help: readonly string[]): boolean =>
  help.includes(target.replace(/^(?:tel|callto):/i, '').replaceAll(/[\s().\-/]/g, ''));

/** The caller it would be about: in conversation, else one whom a transfer brought back. */
export function subjectOf(calls: readonly CallView[]): CallView | null {
  const may = calls.filter((call) => call.actions.includes('transfer') || call.actions.includes('consult'));
  const talking = may.find((call) => call.state === 'active' || call.state === 'held_by_peer');
  return talking ?? may.find((call) => call.state === 'held' && call.transfer?.state === 'failed') ?? null;
}

/** The ringing caller who would be sent on unanswered: while nobody is on the line, the only one or the chosen one. */
function ringingOne({ calls, picked = null }: Now): CallView | null {
  const rings = calls.filter((call) => call.direction === 'in' && call.state === 'ringing');
  const busy = calls.some((call) => !rings.includes(call) && call.state !== 'held' && call.state !== 'ended');
  const meant = rings.find((call) => call.id === picked) ?? (rings.length === 1 ? rings[0] : undefined);
  return busy || meant?.actions.includes('reject') !== true ? null : meant;
}

function consultation({ flows, target }: Now): Meaning | null {
  const flow = flows.find((one) => one.consult !== null && one.caller.actions.includes('complete_transfer'));
  if (flow === undefined) return null;
  const same = target === '' || target === flow.to.number || target === flow.to.uri;
  return same ? { do: 'complete', flow } : { do: 'other', flow };
}

/** What Enter means. */
export function enterMeans(now: Now): Meaning {
  if (isHelp(now.target, now.help ?? [])) return { do: 'dial', to: now.target };
  const consulting = consultation(now);
  if (consulting !== null) return consulting;
  if (now.target === '') return { do: 'nothing' };
  const call = subjectOf(now.calls);
  if (call?.actions.includes('consult') === true) return { do: 'consult', call, to: now.target };
  return { do: 'dial', to: now.target };
}

/** What Ctrl+Enter means. */
export function coldMeans(now: Now): Meaning {
  const consulting = consultation(now);
  if (consulting !== null) return consulting;
  const call = subjectOf(now.calls);
  if (now.target === '') return { do: 'nothing' };
  if (call?.actions.includes('transfer') === true) return { do: 'cold', call, to: now.target };
  const ringing = call === null ? ringingOne(now) : null;
  return ringing === null ? { do: 'nothing' } : { do: 'redirect', call: ringing, to: now.target };
}
