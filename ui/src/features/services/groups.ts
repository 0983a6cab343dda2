// Which services stand together on the page.

import type { ServiceName } from '../../bindings';

export type Group = 'forwarding' | 'rules' | 'voicemail';

export const GROUPS: readonly { group: Group; services: readonly ServiceName[] }[] = [
  { group: 'rules', services: ['do_not_disturb', 'night', 'simultaneous_ring', 'sequential_ring', 'remote_office', 'call_waiting', 'withhold_number', 'reject_anonymous', 'hoteling'] },
  { group: 'forwarding', services: ['forward_always', 'forward_busy', 'forward_no_answer', 'forward_not_reachable'] },
  { group: 'voicemail', services: ['voice_mail'] },
];
