// The made-up call centre: an agent, three queues, services, night, and what happens to them when something is asked.

import type {
  AgentView, AgentWish, CentreView, CodeView, Command, EntryAction, FactView, MeasureName, MessageView, OpeningView, MeasureView, PersonalNumberView,
  QueueEntryView, QueueView,
  ServiceName, ServiceValues, ServiceView, SeverityName,
} from '../../bindings';
import { base64, wav } from '../../shared/sound';
import { HostError } from '../types';

const MINUTE = 60_000;
export const REASONS: CodeView[] = [
  { code: 'LUNCH', text: 'Lunch', is_default: false }, { code: 'OVERLEG', text: 'Overleg', is_default: true },
  { code: 'SCHOLING', text: 'Scholing', is_default: false }, { code: 'PAUZE', text: 'Pauze', is_default: false },
];
export const OUTCOMES: CodeView[] = [
  { code: 'OPGELOST', text: 'Opgelost', is_default: true }, { code: 'TERUG', text: 'Terugbellen', is_default: false },
  { code: 'KLACHT', text: 'Klacht', is_default: false }, { code: 'OFFERTE', text: 'Offerte', is_default: false },
];
/** A tenth of a second of nothing, as a greeting. */
const SILENCE = base64(wav(new Float32Array(800), 8000));
const ALL: EntryAction[] = ['take', 'move', 'reorder', 'promote', 'release'];

function service(name: ServiceName, actual: ServiceValues, more: Partial<ServiceView> = {}): ServiceView {
  return { service: name, actual, wanted: null, state: 'told', editable: true, refused: null, told_ms: Date.now(), by_calendar: false, ...more };
}

function services(): ServiceView[] {
  return [
    service('do_not_disturb', { active: false }),
    service('forward_always', { active: false, to: '0612345678' }),
    service('forward_busy', { active: true, to: '195' }),
    service('forward_no_answer', { active: true, to: '606', rings: 4 }),
    service('forward_not_reachable', { active: false, to: '0612345678' }),
    service('voice_mail', {
      active: true, always: false, busy: true, no_answer: true, rings: 4, email: 'receptie@lindeboom.example', copy: '', no_message: false, to: '',
      greeting_busy: 'standard', greeting_no_answer: 'own', recording_busy: '', recording_no_answer: 'Zomer', has_mailbox: false,
    }),
    service('night', { night: 'automatic', schedule: 'Kantooruren' }),
    service('simultaneous_ring', { active: true, not_while_busy: true, numbers: [{ number: '06 1234 5678', confirm: true }] }),
    service('sequential_ring', { own_first: true, rings: 2, past_busy: true, numbers: [{ number: '06 8765 4321', confirm: false, rings: 4 }] }),
    service('remote_office', { active: false, to: '' }),
    service('call_waiting', { active: true }),
    service('withhold_number', { active: false }),
    service('reject_anonymous', { active: false }, { editable: false }),
  ];
}

const fact = (kind: FactView['fact'], name: string, value: string, more: Partial<FactView> = {}): FactView => ({
  fact: kind, name, value, in_force: true, until_ms: null, holidays: false, openings: [], ...more,
});

const opening = (more: Partial<OpeningView>): OpeningView => ({
  name: '', day: '2026-11-23', from: 0, lasts: 0, recurs: 'weekly', weekdays: [], every: 1, ...more,
});

export function centreView(now: number): CentreView {
  const [friday] = [now + 5 * 60 * MINUTE];
  return {
    account: 'main', account_name: 'Receptie', me: 'Maud Vermeulen',
    link: { state: 'live', since_ms: now - 60 * MINUTE, retry_at_ms: null, stale_since_ms: null },
    agent: {
      state: 'available', reason: '', reason_text: '', since_ms: now - 12 * MINUTE, signed_in_at_ms: now - 70 * MINUTE,
      on_call: false, monitored: false, cause: null, needs_outcome: null, allowed: ['unavailable', 'wrap_up', 'sign_out'], reasons: REASONS, reason_forced: true,
      wrap_up: null, pending: null, drift: null, refused: null,
      queues: [
        { queue: 'verkoop', name: 'Verkoop', joined: true, may_leave: true, skill: 1, pending: null, drift: null },
        { queue: 'support', name: 'Support', joined: true, may_leave: true, skill: 2, pending: null, drift: null },
        { queue: 'administratie', name: 'Administratie', joined: false, may_leave: false, skill: null, pending: null, drift: null },
      ],
    },
    queues: ['verkoop', 'support', 'administratie'],
    capabilities: [
      'agent', 'join_queues', 'queue_view', 'queue_control', 'supervise', 'silent_monitor', 'coach', 'barge_in', 'disposition',
      'escalate', 'queue_policy', 'call_control', 'pull_call', 'ring_back', 'call_return', 'redial', 'call_trace', 'voice_messages', 'personal_numbers', 'directory', 'call_log', 'service',
    ],
    missing: [
      { capability: 'recording', service: null, licence: 'Call Recording' },
      { capability: 'service', service: 'hoteling', licence: 'Hoteling Guest' },
    ],
    services: services(),
    hunt_groups: [
      { group: 'receptie', name: 'Receptie', number: '190', policy: 'circular', members: ['Maud Vermeulen', 'Joris Hendriks', 'Samira Aziz'], next: 'Joris Hendriks', told: true, joined: true, may_leave: true, wanted: null, state: 'told' },
      { group: 'storing', name: 'Storingsdienst', number: '191', policy: 'simultaneous', members: ['Maud Vermeulen', 'Kim Yıldız'], next: null, told: true, joined: false, may_leave: false, wanted: null, state: 'told' },
    ],
    facts: [
      fact('schedule', 'Kantooruren', '', {
        until_ms: friday ?? null,
        openings: [opening({ weekdays: [1, 2, 3, 4, 5], from: 510, lasts: 540 }), opening({ name: 'Koopavond', weekdays: [4], from: 1080, lasts: 180, every: 2 })],
      }),
      fact('schedule', 'Feestdagen', '', {
        in_force: false, holidays: true,
        openings: [opening({ name: 'Kerst', day: '2026-12-25', recurs: 'yearly', lasts: 2880 }), opening({ name: 'Nieuwjaar', day: '2027-01-01', recurs: 'yearly', lasts: 1440 })],
      }),
      fact('outgoing_block', 'Betaalde nummers', '0900 en 0906 zijn geblokkeerd'),
      fact('company_name', 'Naam', 'Lindeboom Installatietechniek'),
      fact('number_presentation', 'Nummer', '088 765 40 00'),
      fact('menu', 'Hoofdmenu', '1 Verkoop · 2 Support · 3 Administratie'),
    ],
    nights: [
      { queue: null, name: '', active: false, choice: 'automatic', wanted: null, state: 'told', until_ms: friday, schedule: 'Kantooruren', may_change: true, refused: null },
      { queue: 'support', name: 'Support', active: false, choice: 'automatic', wanted: null, state: 'told', until_ms: null, schedule: 'Kantooruren', may_change: true, refused: null },
    ],
    emergency: [
      { queue: null, name: '', state: 'told', wanted: null, actual: null, since_ms: now - 30 * MINUTE, refused: null },
      { queue: 'verkoop', name: 'Verkoop', state: 'told', wanted: null, actual: null, since_ms: null, refused: null },
    ],
    abandoned: [
      { id: 1, queue: 'support', queue_name: 'Support', peer: { uri: '', name: 'Garage Jansen', number: '0318 50 11 22' }, since_ms: now - 9 * MINUTE, at_ms: now - 7 * MINUTE, times: 2, called_back: null },
      { id: 2, queue: 'verkoop', queue_name: 'Verkoop', peer: { uri: '', name: '', number: '' }, since_ms: now - 22 * MINUTE, at_ms: now - 21 * MINUTE, times: 1, called_back: null },
      { id: 3, queue: 'verkoop', queue_name: 'Verkoop', peer: { uri: '', name: 'Bakkerij Özdemir', number: '030 123 45 67' }, since_ms: now - 50 * MINUTE, at_ms: now - 48 * MINUTE, times: 1, called_back: { by: 'Sanne Visser', me: false, at_ms: now - 40 * MINUTE, reached: true } },
    ],
    dispositions: [], parked: [{ slot: '701', name: 'Kim Yıldız', own: false, peer: { uri: '', name: 'Garage Jansen', number: '0318 50 11 22' }, since_ms: now - 65_000 }], messages: { new: 2, old: 5 }, seat: { guest: null, until_ms: null, busy: false }, warnings: [], version: 1,
  };
}

const entry = (call: string, position: number, name: string, number: string, since: number, more: Partial<QueueEntryView> = {}): QueueEntryView => ({
  call, position, peer: { uri: '', name, number }, since_ms: since, priority: 'medium', state: 'queued', agent: null,
  bounced: false, reordered: false, entrance: false, actions: ALL, pending: false, ...more,
});

const agent = (id: string, name: string, more: Partial<AgentView>): AgentView => ({
  account: 'main', agent: id, name, number: id, state: 'available', reason: '', reason_text: '', since_ms: Date.now() - 4 * MINUTE,
  on_call: false, joined: true, skill: null, me: false, actions: ['set_state', 'join', 'call'], pending: false, ...more,
});

function measures(values: [MeasureName, number, SeverityName?][]): MeasureView[] {
  return values.map(([name, value, severity]) => ({ measure: name, value, severity: severity ?? 'normal' }));
}

export function queueViews(now: number): QueueView[] {
  const queue = (id: string, name: string, more: Partial<QueueView>): QueueView => ({
    account: 'main', queue: id, name, number: '', supervised: true, joined: true, known: true, entries: [], longest_since_ms: null,
    measures: [], severity: 'normal', thresholds: [], night: false, night_choice: 'automatic', holiday: false, forwarded_to: null,
    agents: [], version: 1, stale_since_ms: null, gone: false, ...more,
  });
  return [
    queue('verkoop', 'Verkoop', {
      number: '195', severity: 'yellow', longest_since_ms: now - 80_000,
      entries: [
        entry('v1', 1, 'Bouwbedrijf Van Dijk', '033 455 12 90', now - 80_000, { state: 'offered', agent: 'Sanne Visser' }),
        entry('v2', 2, '', '06 2233 4455', now - 41_000),
        entry('v3', 3, 'Mevrouw Mulder', '06 1234 5678', now - 9_000, { entrance: true, actions: [] }),
      ],
      measures: measures([['waiting', 3, 'yellow'], ['longest_wait', 80, 'yellow'], ['expected_wait', 95], ['average_answer', 24], ['service_level', 86], ['answered', 41], ['abandoned', 3], ['agents_staffed', 6], ['agents_idle', 1], ['agents_busy', 4], ['agents_unavailable', 1]]),
      agents: [
        agent('201', 'Sanne Visser', { on_call: true, actions: ['set_state', 'listen', 'coach', 'barge_in', 'call'], since_ms: now - 3 * MINUTE }),
        agent('202', 'Tom de Boer', { on_call: true, actions: ['set_state', 'listen', 'coach', 'barge_in', 'call'], since_ms: now - 51_000 }),
        agent('101', 'Maud Vermeulen', { me: true, actions: [] }),
        agent('203', 'Eva Mulder', { state: 'wrap_up', since_ms: now - 34_000 }),
        agent('205', 'Fatima El Amrani', { state: 'unavailable', reason: 'LUNCH', reason_text: 'Lunch', since_ms: now - 18 * MINUTE }),
        agent('206', 'Daan Peeters', { state: 'signed_out', joined: false, since_ms: null }),
      ],
    }),
    queue('support', 'Support', {
      number: '196', severity: 'red', longest_since_ms: now - 245_000,
      entries: [
        entry('s1', 1, 'Garage Jansen', '0318 50 11 22', now - 245_000, { priority: 'high', bounced: true }),
        entry('s2', 2, 'Bakkerij Smit', '0318 50 11 99', now - 190_000, { reordered: true }),
        entry('s3', 3, '', '06 1122 3344', now - 150_000), entry('s4', 4, 'Hotel De Linde', '020 664 10 00', now - 120_000),
        entry('s5', 5, '', '', now - 62_000),
      ],
      measures: measures([['waiting', 5, 'red'], ['longest_wait', 245, 'red'], ['expected_wait', 310, 'red'], ['average_answer', 71, 'yellow'], ['service_level', 58, 'red'], ['answered', 63], ['abandoned', 9, 'yellow'], ['agents_staffed', 5], ['agents_idle', 0, 'red'], ['agents_busy', 2], ['agents_unavailable', 3]]),
      thresholds: [{ measure: 'longest_wait', yellow: 60, red: 180 }],
      agents: [
        agent('301', 'Kim Yıldız', { on_call: true, actions: ['set_state', 'listen', 'coach', 'barge_in', 'call'], since_ms: now - 6 * MINUTE }),
        agent('302', 'Stijn Willems', { state: 'unavailable', reason: 'OVERLEG', reason_text: 'Overleg', since_ms: now - 25 * MINUTE }),
      ],
    }),
    queue('administratie', 'Administratie', {
      joined: false, supervised: false, known: false,
      measures: measures([['waiting', 0], ['longest_wait', 0], ['agents_staffed', 2], ['agents_idle', 1], ['service_level', 100]]),
    }),
  ];
}

type Told = (centre: CentreView | null, queues: QueueView[]) => void;

/** The exchange that obeys. */
export class Company {
  centre = centreView(Date.now());
  messages: MessageView[] = [
    { message: '3', peer: { uri: '', name: 'Garage Jansen', number: '0318 50 11 22' }, at_ms: Date.now() - 20 * MINUTE, length_ms: 14_580, heard: false, urgent: true },
    { message: '2', peer: { uri: '', name: '', number: '' }, at_ms: Date.now() - 95 * MINUTE, length_ms: null, heard: false, urgent: false },
    { message: '1', peer: { uri: '', name: 'Mevrouw De Vries', number: '030 231 88 00' }, at_ms: Date.now() - 1500 * MINUTE, length_ms: 61_000, heard: true, urgent: false },
  ];
  numbers: PersonalNumberView[] = [{ name: 'Taxi', number: '030 230 04 00' }, { name: 'Thuis', number: '06 1234 5678' }];
  queues = queueViews(Date.now());

  constructor(
    private readonly pace: number,
    private readonly tell: Told,
  ) {}

  /** Changes the exchange as the program would tell it. */
  change(part: Partial<CentreView>): void {
    this.centre = { ...this.centre, ...part, version: this.centre.version + 1 };
    this.tell(this.centre, []);
  }

  changeQueue(id: string, part: (queue: QueueView) => Partial<QueueView>): void {
    this.queues = this.queues.map((queue) => (queue.queue === id ? { ...queue, ...part(queue), version: queue.version + 1 } : queue));
    this.tell(null, this.queues.filter((queue) => queue.queue === id));
  }

  /** Callers come and go, as on a busy morning. */
  live(random: () => number): void {
    const queue = this.queues[Math.floor(random() * 2)];
    if (queue === undefined) return;
    const now = Date.now();
    this.changeQueue(queue.queue, ({ entries, measures: told }) => {
      const left = random() < 0.5 && entries.length > 1 ? entries.slice(1) : entries;
      const more = random() < 0.5 && left.length < 8
        ? [...left, entry(`n${now}`, 0, '', `06 ${String(10_000_000 + Math.floor(random() * 89_999_999)).replace(/(\d{4})(\d{4})/, '$1 $2')}`, now)]
        : left;
      const next = more.map((one, place) => ({ ...one, position: place + 1 }));
      const severity: SeverityName = next.length >= 5 ? 'red' : next.length >= 3 ? 'yellow' : 'normal';
      return {
        entries: next, longest_since_ms: next[0]?.since_ms ?? null, severity,
        measures: told.map((one) => (one.measure === 'waiting' ? { ...one, value: next.length, severity } : one)),
      };
    });
  }

  /** Obeys a command; undefined when it is none of the exchange's. */
  run(command: Command): unknown {
    switch (command.cmd) {
      case 'centre.get':
        return [this.centre];
      case 'queue.list':
        return this.queues;
      case 'agent.state':
        if (command.agent === undefined) this.setState(command.state, command.reason ?? '');
        else this.changeAgent(command.agent, command.state, command.reason ?? '');
        return {};
      case 'agent.wrap_up.extend':
        this.extend(command.seconds ?? 30);
        return {};
      case 'queue.join':
      case 'queue.leave':
        this.join(command.queue, command.cmd === 'queue.join');
        return {};
      case 'queue.move':
      case 'queue.release':
        this.changeQueue(command.queue, ({ entries }) => ({ entries: entries.filter((one) => one.call !== command.call) }));
        return {};
      case 'queue.reorder':
        this.reorder(command.queue, command.call, command.position);
        return { position: command.position };
      case 'service.set':
        this.setService(command.service, command.values);
        return {};
      case 'night.set':
        this.setNight(command.queue ?? null, command.night);
        return {};
      case 'emergency.forward':
        this.forward(command.queue ?? null, command.to ?? null);
        return {};
      case 'greeting.get':
      case 'message.get':
        return { name: 'Zomer', wav: SILENCE };
      case 'message.list':
        return this.messages;
      case 'message.mark':
        this.keepMessages(this.messages.map((one) => (one.message === command.message ? { ...one, heard: command.heard } : one)));
        return {};
      case 'message.delete':
        this.keepMessages(this.messages.filter((one) => one.message !== command.message));
        return {};
      case 'guest.sign_in':
        if (command.secret !== '4711') throw new HostError('auth_failed', 'no');
        this.change({ seat: { guest: { uri: '', name: 'Samira el Amrani', number: command.guest }, until_ms: Date.now() + 86_400_000, busy: false } });
        return {};
      case 'guest.sign_out':
        this.change({ seat: { guest: null, until_ms: null, busy: false } });
        return {};
      case 'personal_number.list':
        return this.numbers;
      case 'personal_number.add':
      case 'personal_number.change': {
        const before = command.cmd === 'personal_number.change' ? command.was : null;
        const rest = this.numbers.filter((one) => one.name !== before);
        if (rest.some((one) => one.name === command.name)) throw new HostError('server_error', 'there is such a name');
        this.numbers = [...rest, { name: command.name, number: command.number }].sort((a, b) => a.name.localeCompare(b.name));
        return {};
      }
      case 'personal_number.remove':
        this.numbers = this.numbers.filter((one) => one.name !== command.name);
        return {};
      case 'greeting.set': {
        const put = command.greeting === 'busy' ? { recording_busy: command.name, greeting_busy: 'own' as const } : { recording_no_answer: command.name, greeting_no_answer: 'own' as const };
        this.change({ services: this.centre.services.map((one) => (one.service === 'voice_mail' ? { ...one, actual: { ...one.actual, ...put } } : one)) });
        return {};
      }
      case 'call.retrieve':
        this.change({ parked: this.centre.parked.filter(({ slot }) => slot !== command.slot) });
        return {};
      case 'disposition.set':
      case 'disposition.skip': {
        const id = command.disposition;
        this.change({ dispositions: this.centre.dispositions.filter((one) => one.id !== id) });
        return {};
      }
      case 'abandoned.done': {
        const by = { by: this.centre.me, me: true, at_ms: Date.now(), reached: true };
        this.change({ abandoned: this.centre.abandoned.map((one) => (one.id === command.abandoned ? { ...one, called_back: command.done === false ? null : by } : one)) });
        return {};
      }
      case 'hunt_group.join':
      case 'hunt_group.leave':
        this.change({ hunt_groups: this.centre.hunt_groups.map((one) => (one.group === command.group ? { ...one, joined: command.cmd === 'hunt_group.join' } : one)) });
        return {};
      default:
        return {};
    }
  }

  /** A queue's call ended: wrap-up, and an outcome is asked for. */
  finished(call: number, peer: CentreView['dispositions'][number]['peer'], forced: boolean): void {
    const { agent: me } = this.centre;
    if (me === null) return;
    const now = Date.now();
    this.change({
      agent: {
        ...me, state: 'wrap_up', reason: '', reason_text: '', since_ms: now, allowed: ['available', 'unavailable', 'sign_out'],
        wrap_up: { queue: 'Verkoop', until_ms: now + 30_000, extended: false, may_extend: true, held: false },
      },
      dispositions: [
        ...this.centre.dispositions,
        { id: call, call, queue: 'verkoop', queue_name: 'Verkoop', peer, ended_ms: now, codes: OUTCOMES, forced, pending: null, refused: null },
      ],
    });
  }

  private keepMessages(messages: MessageView[]): void {
    this.messages = messages;
    const fresh = messages.filter((one) => !one.heard).length;
    this.change({ messages: { new: fresh, old: messages.length - fresh } });
  }

  private setState(wish: AgentWish, reason: string): void {
    const { agent: me } = this.centre;
    if (me === null) return;
    const state = ({ sign_in: 'available', available: 'available', unavailable: 'unavailable', wrap_up: 'wrap_up', sign_out: 'signed_out' } as const)[wish];
    const now = Date.now();
    this.change({ agent: { ...me, pending: { state, reason, since_ms: now }, refused: null } });
    setTimeout(() => {
      const allowed: AgentWish[] = state === 'signed_out' ? ['sign_in'] : (['available', 'unavailable', 'wrap_up', 'sign_out'] as const).filter((one) => one !== wish);
      const text = REASONS.find((one) => one.code === reason)?.text ?? reason;
      const wrap = state === 'wrap_up' ? { queue: '', until_ms: Date.now() + 30_000, extended: false, may_extend: true, held: false } : null;
      this.change({ agent: { ...me, state, reason, reason_text: text, since_ms: Date.now(), pending: null, refused: null, allowed, wrap_up: wrap } });
    }, this.pace / 2);
  }

  private extend(seconds: number): void {
    const { agent: me } = this.centre;
    if (me === null || me.wrap_up === null) return;
    this.change({ agent: { ...me, wrap_up: { ...me.wrap_up, until_ms: (me.wrap_up.until_ms ?? Date.now()) + seconds * 1000, extended: true } } });
  }

  private changeAgent(id: string, wish: AgentWish, reason: string): void {
    const state = ({ sign_in: 'available', available: 'available', unavailable: 'unavailable', wrap_up: 'wrap_up', sign_out: 'signed_out' } as const)[wish];
    for (const { queue } of this.queues) {
      this.changeQueue(queue, ({ agents }) => ({ agents: agents.map((one) => (one.agent === id ? { ...one, state, reason, reason_text: reason, since_ms: Date.now() } : one)) }));
    }
  }

  private join(queue: string, joined: boolean): void {
    const { agent: me } = this.centre;
    if (me === null) return;
    this.change({ agent: { ...me, queues: me.queues.map((one) => (one.queue === queue ? { ...one, joined } : one)) } });
    this.changeQueue(queue, () => ({ joined }));
  }

  private reorder(queue: string, call: string, position: number): void {
    this.changeQueue(queue, ({ entries }) => {
      const moved = entries.find((one) => one.call === call);
      if (moved === undefined) return {};
      const others = entries.filter((one) => one.call !== call);
      others.splice(position - 1, 0, { ...moved, reordered: true });
      return { entries: others.map((one, place) => ({ ...one, position: place + 1 })) };
    });
  }

  private setService(name: ServiceName, values: ServiceValues): void {
    const put = (part: (one: ServiceView) => Partial<ServiceView>): void =>
      this.change({ services: this.centre.services.map((one) => (one.service === name ? { ...one, ...part(one) } : one)) });
    put((one) => ({ wanted: { ...one.actual, ...values }, state: 'pending', refused: null }));
    setTimeout(() => put(() => ({ state: 'reading' })), this.pace / 2);
    setTimeout(() => {
      const bad = values.to !== undefined && !/^[\d+ ]*$/.test(values.to);
      if (bad) put(() => ({ state: 'refused', wanted: null, refused: { code: 'bad_value', detail: 'Invalid phone number', queues: [], at_ms: Date.now() } }));
      else put((one) => ({ actual: { ...one.actual, ...values }, wanted: null, state: 'verified', told_ms: Date.now() }));
    }, this.pace);
  }

  private setNight(queue: string | null, choice: NonNullable<CentreView['nights'][number]['choice']>): void {
    const put = (part: Partial<CentreView['nights'][number]>): void =>
      this.change({ nights: this.centre.nights.map((one) => (one.queue === queue ? { ...one, ...part } : one)) });
    put({ wanted: choice, state: 'pending' });
    setTimeout(() => put({ state: 'reading' }), this.pace / 2);
    setTimeout(() => put({ choice, wanted: null, state: 'verified', active: choice === 'on', until_ms: null }), this.pace);
  }

  private forward(queue: string | null, to: string | null): void {
    const put = (part: Partial<CentreView['emergency'][number]>): void =>
      this.change({ emergency: this.centre.emergency.map((one) => (one.queue === queue ? { ...one, ...part } : one)) });
    put({ wanted: to, state: 'pending', since_ms: Date.now() });
    setTimeout(() => put({ state: 'reading' }), this.pace / 2);
    setTimeout(() => {
      put({ actual: to, state: 'verified', since_ms: Date.now() });
      this.change({ warnings: this.centre.emergency.some((one) => one.actual !== null) ? ['emergency_active'] : [] });
    }, this.pace);
  }
}
