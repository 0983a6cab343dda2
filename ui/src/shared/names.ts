// How people and calls are named on screen.

import type { CallView, KnownView, PeerView } from '../bindings';
import type { Messages } from '../i18n';
import type { CodeText } from '../i18n/nl.codes';

/** The name, else the number, else the address, else "unknown number"; of a fetched call that nobody is named for, where
 * it comes from. */
export function peerName(texts: Messages, peer: PeerView): string {
  if (peer.target === 'picked_up' || peer.target === 'retrieved') return texts.targets.named[peer.target](peer.name);
  if (peer.name === '' && peer.number === '' && /^sips?:anonymous@/i.test(peer.uri)) return texts.calls.unknown;
  return [peer.name, peer.number, peer.uri.replace(/^sips?:/, '')].find((text) => text !== '') ?? texts.calls.unknown;
}

/** The number, unless it already stands as the name. */
export function peerNumber(texts: Messages, peer: PeerView): string {
  return peer.number !== peerName(texts, peer) ? peer.number : '';
}

/** How many are known to have the number. */
export const knownCount = ({ known = [], known_more = 0 }: PeerView): number => known.length + known_more;

/** Somebody with his company or department: "Eva Prins, Bouwbedrijf Prins". */
export const knownName = ({ name, of }: KnownView): string => (of === '' ? name : `${name}, ${of}`);

/** Who is known to have the number: of one his company, of several who they are; empty for nobody. */
export function knownWords(texts: Messages, peer: PeerView): string {
  const { known = [], known_more = 0 } = peer;
  if (knownCount(peer) < 2) return known[0]?.of ?? '';
  const names = [...known.map(knownName), ...(known_more > 0 ? [texts.caller.knownMore(known_more)] : [])];
  return `${texts.caller.knownBy(knownCount(peer))}: ${names.join('; ')}`;
}

/** How the call came here: "via hoofdnummer · doorgeschakeld door Sanne"; empty when not told. */
export function cameThrough(texts: Messages, call: CallView): string {
  return [
    call.via !== null && call.via !== '' ? texts.calls.via(call.via) : '',
    call.diverted_from !== null && call.diverted_from !== '' ? texts.calls.divertedFrom(call.diverted_from) : '',
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

/** Whether it was ended here before anybody spoke: stopped while it rang there, or declined while it rang here. */
export function endedHere(call: CallView): boolean {
  if (call.direction === 'out') return call.reason === 'cancelled';
  return call.reason === 'declined' || call.reason === 'busy_here';
}

/** Why a call ended and what to do about it; null for an ordinary end. */
export function endText(texts: Messages, call: CallView): CodeText | null {
  if (endedHere(call)) return texts.calls.ownEnd[call.direction];
  return call.reason === null ? null : texts.codes[call.reason];
}

/** Why a call ended, in words; empty for an ordinary end. */
export function endReason(texts: Messages, call: CallView): string {
  return endText(texts, call)?.what ?? '';
}

const CODECS: Partial<Record<string, string>> = { opus: 'Opus', g722: 'G.722', pcma: 'G.711 A', pcmu: 'G.711 µ' };

/** A codec as people know it. */
export function codecName(codec: string): string {
  return CODECS[codec.toLowerCase()] ?? codec;
}
