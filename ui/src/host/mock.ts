// A scripted program for the browser and for tests: calls ring, are answered and held, without any telephony behind them.

import type {
  AppView,
  CallAction,
  CallState,
  CallView,
  Code,
  Command,
  DiscoveredAccount,
  HistoryEntry,
  Hotkeys,
  Levels,
  LineView,
  LinkName,
  NumberView,
  PeerView,
  RecordDo,
  RecordingName,
  RecordingView,
  SearchHit,
  TargetView,
  TransferEntry,
  TransferKind,
  TransferState,
  Update,
} from '../bindings';
import { messagesFor } from '../i18n';
import type { Role } from '../shared/layout.svelte';
import { Company, OUTCOMES } from './mock/company';
import { NO_HOTKEYS } from '../features/desktop/hotkeys';
import { MockDesktop } from './mock/desktop';
import { Kept } from './mock/contacts';
import { MockLines } from './mock/lines';
import { Feeds } from './mock/sources';
import { CUSTOMERS, NAMED_COUNT, people } from './mock/people';
import { MockWindow } from './mock/window';
import { type Answer, type Host, HostError, type PaneWindow } from './types';

/** How the scripted program starts. */
export interface Scene {
  setup?: boolean;
  /** The account cannot be reached. */
  lost?: boolean;
  /** Somebody calls at once. */
  ring?: boolean;
  /** Trouble that is told at the start. */
  notices?: Code[];
  /** Milliseconds between the steps of a call. */
  pace?: number;
  /** Colleagues; those with a name of their own when left out. */
  people?: number;
  /** Lamps and queues change by themselves. */
  lively?: boolean;
  /** How the view of the exchange stands; none at all when left out. */
  link?: LinkName;
  /** Callers come through a queue. */
  queue?: boolean;
  /** An outcome must be given to calls of queues. */
  forced?: boolean;
  language?: AppView['settings']['language'];
  theme?: AppView['settings']['theme'];
}

const LINKS: readonly LinkName[] = ['absent', 'connecting', 'live', 'polling', 'lost', 'refused', 'elsewhere'];

/** Reads a scene from a page address, for example `?setup&theme=dark`. */
export function scene(search: string): Scene {
  const asked = new URLSearchParams(search);
  const theme = asked.get('theme');
  const language = asked.get('language');
  return {
    setup: asked.has('setup'),
    people: Math.min(2000, Number(asked.get('people') ?? '') || NAMED_COUNT),
    lively: !asked.has('still'),
    link: LINKS.find((one) => one === asked.get('link')) ?? 'live',
    queue: !asked.has('direct'),
    forced: asked.has('forced'),
    lost: asked.has('lost'),
    ring: asked.has('ring'),
    notices: asked.getAll('notice').filter((code): code is Code => code in messagesFor('nl', []).codes),
    theme: theme === 'dark' || theme === 'light' ? theme : 'system',
    language: language === 'nl' || language === 'en' ? language : 'system',
  };
}

const NUMBERS: [kind: string, number: string][] = [
  ['echo', '600'], ['music', '601'], ['speech', '602'], ['busy', '603'], ['no_answer', '604'], ['declines', '605'],
];

const fold = (text: string): string => text.normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll('ı', 'i').toLowerCase();

/** What may be done with a call, among the others. */
function actionsIn(call: CallView, all: readonly CallView[]): CallAction[] {
  const { state } = call;
  if (state === 'ended') return [];
  if (state === 'ringing' && call.direction === 'in') return ['answer', 'reject'];
  if (state === 'transferring') return ['hangup', 'cancel_transfer'];
  const actions: CallAction[] = ['hangup'];
  if (state === 'active') actions.push('hold', call.muted ? 'unmute' : 'mute', 'dtmf');
  if (state === 'held') actions.push('resume');
  const consults = call.consult_of !== null || all.some((one) => one.consult_of === call.id && one.state !== 'ended');
  if (consults) actions.push('complete_transfer', 'cancel_transfer');
  else if (call.answered_ms !== null) actions.push('transfer', 'consult');
  if (state === 'active' && call.answered_ms !== null) actions.push('park');
  const up = all.filter((one) => one.answered_ms !== null && one.state !== 'ended' && one.state !== 'transferring');
  if (call.answered_ms !== null && up.length > 1) actions.push('conference');
  if (!consults && call.transfer?.state === 'failed') actions.push('cancel_transfer');
  return actions;
}

/** What an exchange allows with a recording, as its state is. */
const RECORDS: Record<RecordingName, RecordDo[]> = { off: ['start'], failed: ['start'], on: ['pause', 'stop'], paused: ['resume', 'stop'] };
const RECORDED: Record<RecordDo, RecordingName> = { start: 'on', resume: 'on', pause: 'paused', stop: 'off' };

export class MockHost implements Host {
  /** Every command that came, for tests. */
  readonly commands: Command[] = [];
  view: AppView;
  private readonly pace: number;
  private readonly start: Scene;
  private next = 1;
  private murmur: ReturnType<typeof setInterval> | undefined;
  private readonly listeners = new Set<(update: Update) => void>();
  private readonly lines = new MockLines();
  readonly company: Company;
  readonly kept = new Kept();
  /** Address books and directories; changed by tests, too. */
  readonly feeds: Feeds;
  readonly window = new MockWindow();
  readonly desktop = new MockDesktop((hotkeys) => this.change({ settings: { ...this.view.settings, hotkeys } }));
  /** A command that is taken, but whose effect is not shown yet, for tests. */
  slowWith: Command['cmd'] | null = null;
  /** How often the wallboard was asked for, for tests. */
  boards = 0;
  /** Parts that were asked for in their own windows, for tests. */
  readonly panes: PaneWindow[] = [];
  /** Roles that the main window showed, for tests. */
  readonly roles: Role[] = [];

  /** The keys that work everywhere, for tests. */
  hotkeys(): Hotkeys {
    return this.view.settings.hotkeys;
  }

  /** Something to dial was clicked elsewhere, for tests. */
  prepare(text: string): void {
    this.change({ prepared: text });
  }

  constructor(start: Scene = {}) {
    this.pace = start.pace ?? 900;
    this.feeds = new Feeds(this.pace, (all) => {
      for (const listener of this.listeners) listener({ kind: 'sources', value: all });
    });
    this.start = start;
    this.company = new Company(this.pace, (centre, queues) => {
      for (const listener of this.listeners) {
        if (centre !== null) listener({ kind: 'centre', value: centre });
        if (queues.length > 0) listener({ kind: 'queues', value: queues });
      }
    });
    this.company.centre.link.state = start.link ?? 'absent';
    if (start.link === undefined || start.link === 'absent') this.company.queues = [];
    this.view = firstView(start);
    if (start.ring) this.ring();
    if (start.lively) {
      setInterval(() => {
        this.tell(this.lines.live(Math.random));
        if (start.link === 'live') this.company.live(Math.random);
      }, 1500);
    }
  }

  subscribe(listener: (update: Update) => void): Promise<() => void> {
    this.listeners.add(listener);
    listener({ kind: 'view', value: this.view });
    return Promise.resolve(() => void this.listeners.delete(listener));
  }

  control<C extends Command>(command: C): Promise<Answer<C['cmd']>> {
    this.commands.push(command);
    if (command.cmd === this.slowWith) return Promise.resolve({} as Answer<C['cmd']>);
    try {
      return Promise.resolve(this.run(command) as Answer<C['cmd']>);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  openBoard(): Promise<void> {
    this.boards += 1;
    if (!import.meta.env.VITEST) globalThis.open(`/wallboard.html${location.search}`, 'wallboard', 'popup,width=1280,height=720');
    return Promise.resolve();
  }

  openPane(pane: PaneWindow): Promise<void> {
    this.panes.push(pane);
    if (!import.meta.env.VITEST) globalThis.open(`/${pane}.html${location.search}`, pane, 'popup,width=900,height=700');
    return Promise.resolve();
  }

  showRole(role: Role): Promise<void> {
    this.roles.push(role);
    return Promise.resolve();
  }

  /** Changes the view as the program would. */
  change(part: Partial<AppView>): void {
    this.view = { ...this.view, ...part };
    const { calls } = this.view;
    this.view.calls = calls.map((call) => ({ ...call, actions: actionsIn(call, calls), recording: this.recordingOf(call) }));
    for (const listener of this.listeners) listener({ kind: 'view', value: this.view });
  }

  private recordingOf(call: CallView): RecordingView | null {
    const here = !this.company.centre.capabilities.includes('recording');
    if (here && !this.view.recording.enabled) return null;
    const state = call.recording?.state ?? 'off';
    return { state, here, may: call.answered_ms === null || call.state === 'ended' ? [] : RECORDS[state] };
  }

  /** Tells of lines that changed. */
  tell(lines: LineView[]): void {
    if (lines.length === 0) return;
    for (const listener of this.listeners) listener({ kind: 'lines', value: lines });
  }

  /** A customer rings. */
  ring(queued = this.start.queue ?? false): number {
    const [name, number] = CUSTOMERS[this.next % CUSTOMERS.length] ?? ['', ''];
    const call = this.add('in', 'ringing', { uri: `sip:${number.replaceAll(' ', '')}@pbx.example`, name, number }, null, queued);
    return call.id;
  }

  private run(command: Command): unknown {
    switch (command.cmd) {
      case 'view.get':
        return this.view;
      case 'contacts.search':
        return this.search(command.text);
      case 'call.dial':
        this.guard(command);
        return this.dial(command.to);
      case 'target.list':
        return this.ways(command.target);
      case 'number.describe':
        return describe(command.text);
      case 'line.watch':
        this.tell(this.lines.watch(command.uris ?? []));
        return {};
      case 'line.list':
        return [...this.lines.all.values()];
      case 'desk.prepared_taken':
        this.change({ prepared: null });
        return {};
      case 'settings.set':
        this.change({
          settings: {
            language: command.language ?? this.view.settings.language,
            theme: command.theme ?? this.view.settings.theme,
            hotkeys: command.hotkeys ?? this.view.settings.hotkeys,
            guard: command.guard ?? this.view.settings.guard,
            notices: command.notices ?? this.view.settings.notices,
          },
        });
        return {};
      case 'devices.set':
        this.change({
          audio: {
            ...this.view.audio,
            input: command.input,
            output: command.output,
            ringers: typeof command.ringer === 'string' ? [command.ringer] : (command.ringer ?? []),
            alerts: command.alerts ?? null,
          },
        });
        return {};
      case 'recording.set': {
        const now = this.view.recording;
        const { enabled = now.enabled, format = now.format, folder = now.folder, announcement = now.announcement, keep_days = now.keep_days } = command;
        if (folder !== '' && !folder.startsWith('/')) throw new HostError('bad_value', 'no whole path');
        this.change({ recording: { ...now, enabled, format, folder, announcement, keep_days } });
        return {};
      }
      case 'processing.set': {
        const { audio } = this.view;
        this.change({
          audio: {
            ...audio,
            echo_cancelling: command.echo_cancelling ?? audio.echo_cancelling,
            noise_suppression: command.noise_suppression ?? audio.noise_suppression,
            gain_control: command.gain_control ?? audio.gain_control,
          },
        });
        return {};
      }
      case 'headset.set': {
        const { audio } = this.view;
        const on = command.on ?? audio.headset.on;
        const device = command.device === undefined ? audio.headset.device : command.device || null;
        const used = on ? (audio.headset.devices.find((one) => device === null || one.id === device)?.name ?? null) : null;
        this.change({ audio: { ...audio, headset: { ...audio.headset, on, device, used, light_on: command.light ?? audio.headset.light_on } } });
        return {};
      }
      case 'audio.test':
        this.change({ audio: { ...this.view.audio, test: command.on ? 'listening' : 'off' } });
        return {};
      case 'alerts.set': {
        const { audio } = this.view;
        this.change({ audio: { ...audio, queue_alarms: command.queues ?? audio.queue_alarms, notice_sounds: command.notices ?? audio.notice_sounds } });
        return {};
      }
      case 'ring.set': {
        const { audio } = this.view;
        const own = command.sound?.name ?? null;
        this.change({ audio: { ...audio, rings: audio.rings.map((ring) => (ring.source === command.source ? { ...ring, own } : ring)) } });
        return {};
      }
      case 'ring.try':
        this.change({ audio: { ...this.view.audio, ring_tried: command.source ?? null } });
        return {};
      case 'levels.watch':
        this.watchLevels(command.on);
        return {};
      case 'history.list':
        return this.view.history.filter(({ peer, started_ms }) => peer.number === (command.number ?? peer.number) && started_ms < (command.before_ms ?? Infinity));
      case 'history.seen':
        this.change({ missed: 0 });
        return {};
      case 'notice.dismiss':
        this.change({ notices: this.view.notices.filter((notice) => notice.id !== command.id) });
        return {};
      default:
        return this.runOther(command);
    }
  }

  private runOther(command: Command): unknown {
    switch (command.cmd) {
      case 'transfer.call_back':
        return this.dial(this.view.transfers.find((one) => one.id === command.transfer)?.call_back ?? '');
      case 'call.ring_back':
      case 'call.trace':
        return {};
      case 'call.pull':
      case 'call.return':
      case 'call.redial':
      case 'call.retrieve':
      case 'call.pickup': {
        this.company.run(command);
        if (command.cmd === 'call.retrieve') this.fetched(command.slot ?? '');
        const [name, number] = CUSTOMERS[0] ?? ['', ''];
        this.holdActive();
        this.put(this.add('out', 'dialing', { uri: '', name, number }), 'active');
        return command.cmd === 'call.retrieve' || command.cmd === 'call.pickup' ? { call: this.next - 1 } : {};
      }
      case 'call.conference':
        this.change({ calls: this.view.calls.map((call) => (command.calls.includes(call.id) ? { ...call, conference: true, state: 'active', consult_of: null } : call)) });
        return {};
    }
    if (/^(contacts|note|call_back|privacy|screen_pop)\./.test(command.cmd)) return this.kept.run(command);
    if (command.cmd.startsWith('sources.')) return this.feeds.run(command);
    if (command.cmd.startsWith('call.')) return this.onCall(command);
    return /^(account|demo)\./.test(command.cmd) ? this.onAccount(command) : this.company.run(command);
  }

  /** Somebody murmurs at the desk. */
  private watchLevels(on: boolean): void {
    clearInterval(this.murmur);
    if (!on) return;
    this.murmur = setInterval(() => {
      const microphone = 0.25 + 0.2 * Math.sin(Date.now() / 300) + 0.25 * Math.random();
      for (const listener of this.listeners) listener({ kind: 'levels', value: { microphone, speaker: 0 } });
    }, 66);
  }

  /** It is so loud now, and no more murmuring. */
  levels(value: Levels): void {
    clearInterval(this.murmur);
    for (const listener of this.listeners) listener({ kind: 'levels', value });
  }

  private onCall(command: Command): unknown {
    if (!('call' in command)) throw new HostError('bad_request', command.cmd);
    const call = this.view.calls.find((one) => one.id === command.call);
    if (call === undefined) throw new HostError('unknown_call', `no call ${command.call}`);
    switch (command.cmd) {
      case 'call.answer':
      case 'call.resume':
        this.holdActive();
        this.put(call, 'active');
        break;
      case 'call.hold':
        this.put(call, 'held');
        break;
      case 'call.mute':
        this.put({ ...call, muted: command.on }, call.state);
        break;
      case 'call.record':
        this.put({ ...call, recording: { state: RECORDED[command.do], here: false, may: [] } }, call.state);
        break;
      case 'call.reject':
      case 'call.redirect':
        this.end(call, 'declined');
        break;
      case 'call.hangup':
        this.end(call, call.answered_ms === null ? 'no_answer' : 'answered');
        break;
      default:
        return this.onTransfer(call, command);
    }
    return {};
  }

  private onTransfer(call: CallView, command: Command): unknown {
    const caller = this.view.calls.find((one) => one.id === call.consult_of) ?? call;
    const consult = this.view.calls.find((one) => one.consult_of === caller.id && one.state !== 'ended');
    switch (command.cmd) {
      case 'call.transfer.blind':
        this.guard(command);
        this.send(caller, this.peer(command.to));
        return {};
      case 'call.transfer.consult': {
        this.guard(command);
        const { call: id } = this.dial(command.to, caller.id);
        return { call: id, consult: id };
      }
      case 'call.transfer.complete':
        if (consult === undefined) throw new HostError('wrong_state', 'no consultation');
        this.send(caller, consult.peer, consult.answered_ms !== null);
        this.end(consult, 'answered');
        return {};
      case 'call.park':
        this.write(call, this.parkedAt(command.slot ?? '701'), 'done', null, 'park');
        this.end(call, 'answered');
        return { slot: command.slot ?? '701' };
      case 'call.transfer.cancel':
        if (caller.transfer?.state === 'trying' || caller.transfer?.state === 'ringing') this.write(caller, caller.transfer.to, 'failed', 'taken_back', 'cold');
        this.put({ ...caller, transfer: null }, 'active');
        if (consult !== undefined) this.end(consult, consult.answered_ms === null ? 'no_answer' : 'answered');
        return {};
      default:
        return {};
    }
  }

  /** A caller goes to somebody, and comes back when he is not taken. */
  private send(caller: CallView, to: PeerView, agreed = false): void {
    const at = (state: TransferState, reason: Code | null = null): void => {
      const call = this.view.calls.find((one) => one.id === caller.id);
      if (call === undefined || (state !== 'trying' && call.state !== 'transferring')) return;
      this.put({ ...call, transfer: { state, to, reason, status: null } }, state === 'failed' ? 'held' : 'transferring');
      this.write(call, to, state, reason, agreed ? 'warm' : 'cold');
      if (state === 'done') this.endById(caller.id, 'answered', null);
    };
    at('trying');
    const refusal = REFUSALS[to.number] ?? null;
    setTimeout(() => at(refusal === null ? 'ringing' : 'failed', refusal), this.pace);
    if (refusal === null) setTimeout(() => at(to.number === '604' ? 'failed' : 'done', to.number === '604' ? 'no_answer' : null), this.pace * (agreed ? 1.5 : 4));
  }

  /** The list of transfers, each once. */
  private write(call: CallView, to: PeerView, state: TransferState, reason: Code | null, kind: TransferKind): void {
    const { transfers } = this.view;
    const [newest] = transfers;
    const going = newest !== undefined && newest.call === call.id && (newest.state === 'trying' || newest.state === 'ringing');
    const entry: TransferEntry = {
      id: going ? newest.id : (newest?.id ?? 0) + 1, call: call.id, account: call.account, at_ms: going ? newest.at_ms : Date.now(),
      caller: call.peer, to, kind, state, reason, status: null, lost: false, call_back: call.peer.number === '' ? null : call.peer.number,
      ...(kind === 'park' && state === 'done' ? { parked: 'waiting' } : {}),
    };
    this.change({ transfers: [entry, ...(going ? transfers.slice(1) : transfers)].slice(0, 20) });
  }

  /** Numbers that cost are asked about, as the program does. */
  private guard({ to, guarded }: { to: string; guarded?: boolean }): void {
    if (guarded === true && to.replaceAll(/\D/g, '').startsWith('0906')) throw new HostError('number_blocked', to);
    if (guarded === true && describe(to).asks_first) throw new HostError('asks_first', to);
  }

  /** Who was parked there is fetched. */
  private fetched(slot: string): void {
    const { transfers } = this.view;
    this.change({ transfers: transfers.map((one) => (one.parked === 'waiting' && one.to.number === slot ? { ...one, parked: 'retrieved' } : one)) });
  }

  private parkedAt(slot: string): PeerView {
    return { uri: '', name: this.view.colleagues.find(({ number }) => number === slot)?.name ?? '', number: slot, target: 'park' };
  }

  /** A colleague has a line, perhaps a mobile telephone, a voicemail and a place to park at. */
  private ways(target: string): TargetView[] {
    const who = this.view.colleagues.find(({ number }) => number === target);
    if (who === undefined) return [{ kind: 'outside', to: target, shown: target, way: 'ask' }];
    return [
      { kind: 'line', to: who.number, shown: who.number, way: 'ask' },
      ...(who.mobile === '' ? [] : [{ kind: 'mobile' as const, to: who.mobile, shown: who.mobile, way: 'ask' as const }]),
      { kind: 'voicemail', to: `*55${who.number}`, shown: who.number, way: 'send' },
      { kind: 'park', to: who.number, shown: who.number, way: 'park' },
    ];
  }

  private peer(to: string): PeerView {
    const mailbox = this.view.colleagues.find(({ number }) => `*55${number}` === to);
    if (mailbox !== undefined) return { uri: `sip:${to}@pbx.example`, name: mailbox.name, number: to, target: 'voicemail' };
    const away = this.view.colleagues.find(({ mobile }) => mobile !== '' && mobile === to);
    if (away !== undefined) return { uri: `sip:${to}@pbx.example`, name: away.name, number: to, target: 'mobile' };
    if (!/^[\d+ *#@a-zA-Z.:_-]+$/.test(to)) throw new HostError('bad_target', to);
    const person = this.view.colleagues.find(({ number }) => number === to);
    return { uri: `sip:${to}@pbx.example`, name: person?.name ?? '', number: to };
  }

  private onAccount(command: Command): unknown {
    const [account] = this.view.accounts;
    switch (command.cmd) {
      case 'demo.start':
        this.change(firstView({ language: this.view.settings.language, theme: this.view.settings.theme }));
        return this.view.demo;
      case 'demo.stop':
      case 'account.remove':
        this.change({ accounts: [], demo: null, colleagues: [], needs_setup: true });
        return {};
      case 'demo.customer':
        this.ring(command.queue);
        return {};
      case 'account.register':
      case 'account.unregister':
        if (account !== undefined) {
          const state = command.cmd === 'account.register' ? 'registered' : 'unregistered';
          this.change({ accounts: [{ ...account, state, reason: null, retry_at_ms: null, since_ms: Date.now() }] });
        }
        return {};
      case 'account.discover':
        return discovered(command.user, command.password, command.server ?? '');
      case 'account.test':
        return testOf(command.form.server.includes('.') || command.form.user.includes('.'));
      case 'account.save':
        this.change({ ...firstView({}), demo: null, settings: this.view.settings });
        return { account: 'main', session_only: false };
      default:
        return {};
    }
  }

  private dial(to: string, consultOf: number | null = null): { call: number } {
    const peer = this.peer(to);
    this.holdActive();
    const call = this.add('out', 'dialing', peer, consultOf);
    const later = (state: CallState, steps: number): void => {
      setTimeout(() => {
        const now = this.view.calls.find((one) => one.id === call.id);
        if (now !== undefined && (now.state === 'dialing' || now.state === 'ringing')) this.put(now, state);
      }, this.pace * steps);
    };
    later('ringing', 1);
    if (to === '603') setTimeout(() => this.endById(call.id, 'busy', 'busy_here'), this.pace * 2);
    else if (to !== '604') later('active', 3);
    return { call: call.id };
  }

  private search(text: string): SearchHit[] {
    const wanted = fold(text);
    const people = this.view.colleagues.filter(({ name, number }) => fold(`${name} ${number}`).includes(wanted)).slice(0, 40).map(
      ({ name, number, department, account }): SearchHit => ({ kind: 'colleague', name, target: number, detail: department, account }),
    );
    const dial: SearchHit[] = /^[\d+ ()-]{2,}$|@/.test(text) ? [{ kind: 'dial', name: text, target: text, detail: '' }] : [];
    return people.some((hit) => hit.target === text) ? people : [...dial, ...people];
  }

  private add(direction: 'in' | 'out', state: CallState, peer: PeerView, consultOf: number | null = null, queued = false): CallView {
    const now = Date.now();
    const call: CallView = {
      id: this.next, account: 'main', direction, state, peer, vip: false, via: direction === 'in' ? '088 765 40 00' : null,
      consult_of: consultOf, conference: false, transfer: null, queue: queued ? queueOf() : null, recording: null,
      diverted_from: null, started_ms: now, answered_ms: null, since_ms: now, muted: false, secure: false, encryption: 'none',
      codec: null, quality: 'unknown', quality_cause: null, delay: { rx_ms: null, tx_ms: null }, figures: { rx: { ...NO_FIGURES }, tx: { ...NO_FIGURES }, round_trip_ms: null, buffer_ms: null }, no_sound: false, reason: null, status: null, actions: [],
    };
    this.next += 1;
    this.change({ calls: [...this.view.calls, call] });
    return call;
  }

  private put(call: CallView, state: CallState): void {
    const now = Date.now();
    const answered = call.answered_ms ?? (state === 'active' ? now : null);
    const changed: CallView = {
      ...call, state, answered_ms: answered, since_ms: state === call.state ? call.since_ms : now,
      codec: answered === null ? null : 'Opus', quality: answered === null ? 'unknown' : 'good',
    };
    this.change({ calls: this.view.calls.map((one) => (one.id === call.id ? changed : one)) });
  }

  private holdActive(): void {
    for (const call of this.view.calls) if (call.state === 'active') this.put(call, 'held');
  }

  private endById(id: number, outcome: HistoryEntry['outcome'], reason: Code | null): void {
    const call = this.view.calls.find((one) => one.id === id);
    if (call !== undefined) this.end(call, outcome, reason);
  }

  private end(call: CallView, outcome: HistoryEntry['outcome'], reason: Code | null = null): void {
    const seconds = call.answered_ms === null ? 0 : Math.round((Date.now() - call.answered_ms) / 1000);
    const { id, account, direction, peer, started_ms } = call;
    if (call.queue !== null && call.answered_ms !== null) this.company.finished(call.id, call.peer, this.start.forced ?? false);
    const waiting = this.view.calls.find((one) => one.id === call.consult_of && one.state === 'held');
    const back = waiting === undefined ? null : { ...waiting, transfer: { state: 'failed' as const, to: peer, reason, status: null } };
    this.change({
      calls: this.view.calls.filter((one) => one.id !== id).map((one) => (one.id === back?.id ? back : one)),
      history: [{ id, account, direction, peer, started_ms, seconds, outcome, reason, called_back: null, elsewhere: false }, ...this.view.history],
    });
  }
}

/** What kind of number it is, as far as the scripted program needs to know. */
function describe(text: string): NumberView {
  const dial = text.replaceAll(/[\s().-]/g, '');
  const kind = /^09(00|06|09)/.test(dial) ? 'premium' : /^(\+|00)(?!31)/.test(dial) ? 'international' : dial === '112' ? 'emergency' : 'unknown';
  return { kind, dial, shown: text, key: null, country: null, extension: null, asks_first: kind === 'premium' || kind === 'international' };
}

/** Numbers that take no caller. */
/** Nothing of the sound is measured. */
const NO_FIGURES = { mos: null, loss_percent: null, jitter_ms: null } as const;

const REFUSALS: Partial<Record<string, Code>> = { '603': 'busy_here', '605': 'declined' };

const queueOf = (): CallView['queue'] => ({
  queue: 'verkoop', name: 'Verkoop', waited: 48, priority: 'high', digits: '1', monitored: false, may_escalate: true, codes: OUTCOMES, disposition: null,
});

/** A few user names that have something the matter: "geen" has no telephone, "geheim" no password of it, "nergens" no server. */
function discovered(user: string, password: string, server: string): DiscoveredAccount {
  if (password === 'fout') throw new HostError('auth_failed', user);
  if (user.startsWith('nergens') && server === '') throw new HostError('dns_failure', user);
  const phone = !user.startsWith('geen');
  return {
    token: 'found-1', display_name: 'Maud Vermeulen', user: phone ? '101@lindeboom.example' : '', server: phone ? 'sip.lindeboom.example' : '',
    auth_user: phone ? '101' : '', outbound_proxy: '', transport: 'tls', has_password: phone && !user.startsWith('geheim'),
    number: '088 765 40 01', extension: '101', exchange_user: user, missing: phone ? null : 'not_found', detail: phone ? null : 'no device profile',
  };
}

function testOf(good: boolean): unknown {
  const steps = [
    { kind: 'config', ok: true, code: null, detail: null },
    { kind: 'resolve', ok: good, code: good ? null : 'dns_failure', detail: good ? '192.0.2.10:5060, UDP' : null },
  ];
  if (!good) return { ok: false, steps };
  return {
    ok: true,
    steps: [
      ...steps,
      { kind: 'reach', ok: true, code: null, detail: '12 ms' },
      { kind: 'register', ok: true, code: null, detail: '200 OK' },
    ],
  };
}

function firstView(start: Scene): AppView {
  const now = Date.now();
  const account: AppView['accounts'][number] = {
    id: 'main', display_name: 'Receptie', aor: 'sip:101@lindeboom.example', number: '101',
    state: start.lost ? 'unreachable' : 'registered', reason: start.lost ? 'timeout' : null, detail: null,
    since_ms: now, retry_at_ms: start.lost ? now + 14_000 : null, demo: true, control_only: false,
    password_needed: false, emergency: true, server: '', auth_user: '', outbound_proxy: '', transport: 'auto',
    exchange: null, devices: [], media: { encryption: 'off', keying: 'sdes', silence_suppression: false, ice: false, stun: '', turn: '', turn_user: '', turn_password_known: false },
  };
  return {
    version: '0.1.0',
    needs_setup: start.setup ?? false,
    accounts: start.setup ? [] : [account],
    calls: [],
    history: start.setup ? [] : pastCalls(now),
    missed: start.setup ? 0 : 1,
    transfers: [],
    audio: {
      inputs: [{ id: 'h', name: 'Jabra Evolve2 65 Mono', is_default: true }, { id: 'w', name: 'Webcam', is_default: false }],
      outputs: [{ id: 'h', name: 'Jabra Evolve2 65 Mono', is_default: true }, { id: 's', name: 'Luidsprekers', is_default: false }],
      input: null, output: null, ringers: ['s'], most_ringers: 4, alerts: null, echo_cancelling: true, noise_suppression: true, gain_control: true, test: 'off', problem: null,
      queue_alarms: true, notice_sounds: true,
      rings: (['ordinary', 'internal', 'queue', 'door'] as const).map((source) => ({ source, own: null })), ring_tried: null,
      headset: {
        available: true, on: true, light_on: true, devices: [{ id: 'j', name: 'Jabra Evolve2' }], device: null,
        used: 'Jabra Evolve2', light: null, trouble: null,
      },
    },
    recording: { enabled: false, format: 'opus', folder: '', folder_used: 'Documenten/Opnamen', announcement: '', keep_days: 30 },
    demo: start.setup
      ? null
      : { company: 'Lindeboom Installatietechniek', numbers: NUMBERS.map(([kind, number]) => ({ kind, number })) },
    colleagues: start.setup ? [] : people(start.people ?? NAMED_COUNT),
    notices: (start.notices ?? []).map((code, id) => ({ id, code, detail: 'what the system said', at_ms: now, severe: false })),
    prepared: null,
    help: { numbers: ['112'], account: start.setup ? null : 'main', warning: null },
    settings: { language: start.language ?? 'system', theme: start.theme ?? 'system', hotkeys: NO_HOTKEYS, guard: { premium: true, foreign: true, never: [], country: 'NL' }, notices: { calls: null, missed: true } },
  };
}

function pastCalls(now: number): HistoryEntry[] {
  const past = (id: number, name: string, number: string, minutes: number, rest: Partial<HistoryEntry>): HistoryEntry => ({
    id, account: 'main', direction: 'in', peer: { uri: `sip:${number}@pbx.example`, name, number },
    started_ms: now - minutes * 60_000, seconds: 0, outcome: 'answered', reason: null, called_back: null, elsewhere: false, ...rest,
  });
  return [
    past(9003, 'Garage Jansen', '0318 50 11 22', 4, { outcome: 'missed' }),
    past(9002, 'Sanne Visser', '201', 11, { direction: 'out', seconds: 192 }),
    past(9001, '', '06 1122 3344', 26, { seconds: 47 }),
  ];
}
