// Lamps of the scripted company: a fixed picture at first, and changes like those of a busy morning.

import type { LineState, LineView, PeerView } from '../../bindings';

const PICTURE: [state: LineState, peer: string | null, presence?: LineView['presence']][] = [
  ['idle', null], ['busy', '06 1122 3344'], ['idle', null], ['idle', null], ['ringing', 'Garage Jansen'], ['idle', null],
  ['busy', null], ['held', null], ['unknown', null], ['idle', null, { open: false, note: null, activities: [] }],
  ['busy', 'Mevrouw Mulder'], ['idle', null, { open: true, note: 'Overleg tot 11:00', activities: ['meeting'] }],
  ['idle', null], ['unreachable', null], ['busy', null], ['idle', null],
];
/** Where the exchange has gone silent about a line. */
const STALE_EACH = 23;

const peerOf = (who: string): PeerView => ({
  uri: `sip:${who.replaceAll(' ', '')}@pbx.example`,
  name: /^[\d ]+$/.test(who) ? '' : who,
  number: /^[\d ]+$/.test(who) ? who : '',
});

export class MockLines {
  readonly all = new Map<string, LineView>();

  watch(uris: readonly string[]): LineView[] {
    return uris
      .filter((uri) => !this.all.has(uri))
      .map((uri) => {
        const place = this.all.size;
        const [state, who, presence] = PICTURE[place % PICTURE.length] ?? ['idle', null];
        const line: LineView = {
          uri: `sip:${uri}@pbx.example`, account: 'main', name: '', state, version: 1, gone: false,
          ...(presence === undefined ? {} : { presence }),
          ...(who === null ? {} : { peer: peerOf(who), direction: 'in' }),
          ...(place % STALE_EACH === STALE_EACH - 1 ? { stale_since: 12, stale_since_ms: Date.now() - 40_000 } : {}),
        };
        this.all.set(uri, line);
        return line;
      });
  }

  /** Some lines change, as in life: idle, ringing, busy, idle. */
  live(random: () => number): LineView[] {
    const NEXT: Partial<Record<LineState, LineState>> = { idle: 'ringing', ringing: 'busy', busy: 'idle', held: 'busy' };
    const keys = [...this.all.keys()];
    const changed: LineView[] = [];
    for (let n = 0; n < Math.ceil(keys.length / 60); n += 1) {
      const key = keys[Math.floor(random() * keys.length)] ?? '';
      const line = this.all.get(key);
      const state = line === undefined ? undefined : NEXT[line.state];
      if (line === undefined || state === undefined) continue;
      const next: LineView = { ...line, state, version: line.version + 1 };
      if (state === 'idle') delete next.peer;
      this.all.set(key, next);
      changed.push(next);
    }
    return changed;
  }
}
