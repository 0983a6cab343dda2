// How ways to reach somebody are shown and named.

import type { PeerView, TargetKind } from '../../bindings';
import type { Messages } from '../../i18n';
import type { IconName } from '../../shared/Icon.svelte';
import { peerName } from '../../shared/names';

const ICONS: Partial<Record<TargetKind, IconName>> = { voicemail: 'tape', queue: 'queue', park: 'park', main: 'building', line: 'person' };

export const wayIcon = (kind: TargetKind): IconName => ICONS[kind] ?? 'phone';

/** Whom a caller goes to, with what the number is of him: "Piet Bakker (mobiel)". A line is himself. */
export function targetName(t: Messages, peer: PeerView): string {
  const kind = peer.target ?? 'line';
  if (kind === 'park') return t.targets.park(peer.name);
  if (kind === 'picked_up' || kind === 'retrieved') return peerName(t, peer);
  return t.targets.named[kind](peerName(t, peer));
}

/** A sentence begins with a capital. */
export const capital = (text: string): string => text.charAt(0).toLocaleUpperCase() + text.slice(1);
