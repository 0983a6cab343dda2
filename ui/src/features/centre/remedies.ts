// What sets right what the exchange warns of: one button, and a key where there is one.

import type { CentreView, CentreWarning } from '../../bindings';
import { correct } from '../../shared/actions';
import type { Desk } from '../../shared/desk.svelte';
import { SHOWN } from '../../shared/keys';
import { ui } from '../../shared/ui.svelte';
import { focusOutcome } from './outcome';

export interface Remedy {
  word: string;
  keys: readonly string[] | null;
  run: () => void;
}

/** What may be done about a warning; nothing for most. */
export function remedies(desk: Desk, centre: CentreView, warning: CentreWarning): Remedy[] {
  const { t } = desk;
  const { account } = centre;
  switch (warning) {
    case 'agent_drift':
      return [
        { word: t.agent.repeat, keys: SHOWN.correct, run: () => correct(desk, account, 'repeat') },
        { word: t.agent.accept, keys: null, run: () => correct(desk, account, 'accept') },
      ];
    case 'do_not_disturb_available':
      return off(desk, centre, 'do_not_disturb');
    case 'forwarded_available':
      return off(desk, centre, 'forward_always');
    case 'service_drift':
      return [{ word: t.centre.remedies.settings, keys: SHOWN.services, run: () => (ui.page = 'services') }];
    case 'night_drift':
    case 'emergency_failed':
    case 'emergency_active':
      return [{ word: t.centre.remedies.look, keys: SHOWN.night, run: () => (ui.overlay = 'night') }];
    case 'disposition_needed':
      return [{ word: t.centre.remedies.outcome, keys: SHOWN.outcome, run: () => void focusOutcome() }];
    default:
      return [];
  }
}

/** Switches a service off, where the account may. */
function off(desk: Desk, centre: CentreView, service: 'do_not_disturb' | 'forward_always'): Remedy[] {
  if (!centre.services.some((one) => one.service === service && one.editable)) return [];
  const { account } = centre;
  const run = (): void => void desk.send({ cmd: 'service.set', service, values: { active: false }, account });
  return [{ word: desk.t.centre.remedies.off(desk.t.services.names[service]), keys: null, run }];
}
