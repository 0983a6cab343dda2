// What a queue shows on its tile: where its callers go, night, and how many wait. A shape first, a colour second, words beside.

import type { QueueView } from '../../bindings';
import { type Messages, span } from '../../i18n';
import { longest, measure } from '../centre/figures';
import type { Lamp, Tone } from '../lines/lamp';

const TONES: Record<QueueView['severity'], Tone> = { normal: 'held', yellow: 'ring', red: 'busy' };

/** The lamp of a queue. `now` is milliseconds by the wall clock. */
export function queueLamp(t: Messages, queue: QueueView, now: number): Lamp {
  if (queue.stale_since_ms !== null) {
    return { icon: 'unsure', tone: 'unsure', words: t.queue.unsure(span(t, now - queue.stale_since_ms)), short: t.lamp.short.unknown, since: null };
  }
  const plain = { since: null };
  if (queue.forwarded_to !== null && queue.forwarded_to !== '') {
    return { ...plain, icon: 'forward', tone: 'forward', words: t.queue.forwarded(queue.forwarded_to), short: `→ ${queue.forwarded_to}` };
  }
  if (queue.night === true) return { ...plain, icon: 'night', tone: 'night', words: t.night.on, short: t.queue.nightShort };
  if (queue.holiday === true) return { ...plain, icon: 'night', tone: 'night', words: t.queue.holiday, short: t.queue.holiday };
  const waiting = measure(queue, 'waiting')?.value ?? (queue.known ? queue.entries.length : null);
  if (waiting === null) return { ...plain, icon: 'queue', tone: 'free', words: t.queue.name, short: '' };
  if (waiting === 0) return { ...plain, icon: 'free', tone: 'free', words: t.queue.nobody, short: '' };
  const level = t.queue.severity[queue.severity];
  const words = [t.queue.waitingNow(waiting, longest(queue, now)), level].filter((part) => part !== '').join(' · ');
  return { ...plain, icon: 'queue', tone: TONES[queue.severity], words, short: t.queue.waitShort(waiting) };
}
