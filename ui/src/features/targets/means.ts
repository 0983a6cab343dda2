// What choosing one of the ways to reach somebody would do.

import type { TargetView } from '../../bindings';
import { coldMeans, enterMeans, type Meaning, type Now, subjectOf } from '../transfers/meaning';

type Scene = Omit<Now, 'target'>;

/** What it means to choose a way. `direct`: the caller goes at once, whoever could be asked. */
export function wayMeans(now: Scene, way: TargetView, direct: boolean): Meaning {
  const aimed = { ...now, target: way.to };
  if (way.way === 'park') {
    const call = subjectOf(now.calls);
    return call?.actions.includes('park') === true ? { do: 'park', call, slot: way.to } : { do: 'nothing' };
  }
  if (way.way === 'send') {
    const sent = coldMeans(aimed);
    // Without a caller it is only called.
    return sent.do === 'nothing' && subjectOf(now.calls) === null ? enterMeans(aimed) : sent;
  }
  return direct ? coldMeans(aimed) : enterMeans(aimed);
}
