// What a lamp shows: a shape first, a colour second, words beside. It says what the exchange said and no more.

import type { LineView } from '../../bindings';
import { type Messages, span, timeOfDay } from '../../i18n';
import type { IconName } from '../../shared/Icon.svelte';
import { peerName } from '../../shared/names';
import { freeWords } from '../contact/free';

/** Colour of a lamp; `free` stays calm. */
export type Tone = 'free' | 'ring' | 'busy' | 'off' | 'unsure' | 'dnd' | 'forward' | 'night' | 'held';

export interface Lamp {
  icon: IconName;
  tone: Tone;
  /** What stands beside it. */
  words: string;
  /** The same in a word, where there is little room. */
  short: string;
  /** Since when the state has held, milliseconds, where that was seen. */
  since: number | null;
}

/** Since when something holds, milliseconds by the wall clock. */
export interface Seen {
  /** Since when the state is seen to hold; null when it held already at first sight. */
  state: number | null;
  /** Since when it may be wrong, as the program tells. */
  stale: number | null;
}

const SHAPES: Record<LineView['state'], { icon: IconName; tone: Tone }> = {
  idle: { icon: 'free', tone: 'free' },
  ringing: { icon: 'ringing', tone: 'ring' },
  busy: { icon: 'busy', tone: 'busy' },
  held: { icon: 'held', tone: 'busy' },
  unreachable: { icon: 'off', tone: 'off' },
  unknown: { icon: 'unsure', tone: 'unsure' },
};

/** An age moves on in steps of so many milliseconds: it says how old, it is no clock. */
const AGE_STEP = 5_000;

/** The lamp of a line. A line that may be wrong shows that first, with its age. */
export function lampOf(t: Messages, line: LineView, seen: Seen, now: number): Lamp {
  const { icon, tone } = SHAPES[line.state];
  const short = t.lamp.short[line.state];
  if (line.stale_since_ms !== undefined) {
    const age = seen.stale === null ? '' : span(t, Math.floor((now - seen.stale) / AGE_STEP) * AGE_STEP);
    return { icon: 'unsure', tone: 'unsure', words: t.lamp.stale(t.lamp.states[line.state], age), short: t.lamp.short.unknown, since: null };
  }
  const told = fromServices(t, line) ?? fromPresence(t, line) ?? fromCalendar(t, line);
  if (told !== null) return { ...told, since: seen.state };
  return { icon, tone, words: withPeer(t, line), short, since: line.state === 'idle' ? null : seen.state };
}

/**
 * Whether a lamp shows the same, so that it has done so since before. In a call that is the call; else what he has set,
 * what presence tells and what kind of appointment he has. Compares without a word being made: lines change all the time.
 */
export function showsTheSame(a: LineView, b: LineView): boolean {
  if (a.state !== b.state) return false;
  // Who it is with may be told later than that there is a call.
  if (!isOutOfCalls(a)) return a.peer === undefined || b.peer === undefined || (a.peer.uri === b.peer.uri && a.peer.number === b.peer.number);
  return a.do_not_disturb === b.do_not_disturb && a.forwarded === b.forwarded && a.calendar?.kind === b.calendar?.kind
    && told(a.presence) === told(b.presence);
}

/** What somebody has set for his line, while he is in no call. Where a caller would go comes before that he would go nowhere. */
function fromServices(t: Messages, line: LineView): Omit<Lamp, 'since'> | null {
  if (!isOutOfCalls(line)) return null;
  if (line.forwarded !== undefined) {
    const to = line.forwarded;
    return { icon: 'forward', tone: 'forward', words: t.lamp.forwarded(to), short: to === '' ? t.lamp.forwardedShort : `→ ${to}` };
  }
  return line.do_not_disturb === true ? { icon: 'dnd', tone: 'dnd', words: t.lamp.closed, short: t.lamp.closedShort } : null;
}

const AWAY: readonly string[] = ['away', 'vacation', 'holiday', 'travel', 'sleeping', 'permanent-absence', 'breakfast', 'lunch', 'dinner', 'meal'];
const OCCUPIED: readonly string[] = ['meeting', 'appointment', 'busy', 'presentation', 'performance', 'worship', 'steering'];

/** What presence tells that keeps a caller away; null: nothing. */
function told(presence: LineView['presence']): 'busy' | 'closed' | 'away' | 'occupied' | null {
  if (presence === undefined) return null;
  const does = (these: readonly string[]): boolean => presence.activities.some((one) => these.includes(one));
  if (does(['on-the-phone'])) return 'busy';
  if (presence.open === false) return 'closed';
  if (does(AWAY)) return 'away';
  return does(OCCUPIED) ? 'occupied' : null;
}

/** What presence adds to a line that is not in a call by what its calls tell. */
function fromPresence(t: Messages, line: LineView): Omit<Lamp, 'since'> | null {
  if (!isOutOfCalls(line)) return null;
  switch (told(line.presence)) {
    case 'busy':
      return { icon: 'busy', tone: 'busy', words: t.lamp.states.busy, short: t.lamp.short.busy };
    case 'closed':
      return { icon: 'dnd', tone: 'dnd', words: t.lamp.closed, short: t.lamp.closedShort };
    case 'away':
      return { icon: 'calendar', tone: 'forward', words: t.lamp.away, short: t.lamp.awayShort };
    case 'occupied':
      return { icon: 'calendar', tone: 'forward', words: t.lamp.occupied, short: t.lamp.occupiedShort };
    case null:
      return null;
  }
}

/** Whoever has an appointment now, or is away, by his calendar: with the time at which he is free. */
function fromCalendar(t: Messages, line: LineView): Omit<Lamp, 'since'> | null {
  const { calendar } = line;
  if (calendar === undefined || !isTaken(line) || !isOutOfCalls(line)) return null;
  const short = calendar.kind === 'away' ? t.lamp.awayShort : t.lamp.occupiedShort;
  return {
    icon: 'calendar', tone: 'forward', words: freeWords(t, calendar),
    short: calendar.free_ms === null ? short : t.lamp.freeShort(timeOfDay(t, calendar.free_ms)),
  };
}

/** He is in no call, as far as is told: what else is known of him shows. */
const isOutOfCalls = ({ state }: LineView): boolean => state === 'idle' || state === 'unknown';

/** Whether his lamp shows him free: who wants no calls, has them elsewhere, is away or in an appointment is not there for a caller. */
export const isFree = (line: LineView): boolean =>
  line.state === 'idle' && line.stale_since_ms === undefined && line.do_not_disturb !== true && line.forwarded === undefined
  && told(line.presence) === null && !isTaken(line);

/** His calendar says that he is not there for a caller. */
const isTaken = ({ calendar }: LineView): boolean => calendar?.kind === 'busy' || calendar?.kind === 'away';

function withPeer(t: Messages, line: LineView): string {
  const word = t.lamp.states[line.state];
  if (line.peer === undefined) return word;
  const who = peerName(t, line.peer);
  if (line.state === 'busy') return t.lamp.with(who);
  if (line.state === 'held') return t.lamp.holds(who);
  if (line.state === 'ringing') return line.direction === 'out' ? t.lamp.calls(who) : t.lamp.calledBy(who);
  return word;
}

/** The extension of a line's address: what stands before the @. */
export function extensionOf(uri: string): string {
  return uri.replace(/^sips?:/i, '').replace(/^tel:/i, '').split(/[@;?]/)[0] ?? '';
}
