// What the middle column lists: colleagues in groups and the demo's numbers, or the results of a search; in which order; and which one is highlighted.

import type { ColleagueView, DemoView, SearchHit } from '../../bindings';
import type { Messages } from '../../i18n';
import type { Desk } from '../../shared/desk.svelte';
import type { IconName } from '../../shared/Icon.svelte';
import { isFree as showsFree, lampOf, type Tone } from '../lines/lamp';
import { layout, type Only, personKey, type Pin, type Sort } from '../../shared/layout.svelte';
import { dialling } from '../dialling/dialling.svelte';
import { pinEntry } from '../pins/pins';
import { finds } from '../queues/found';
import { careful, costs } from '../safety/costs.svelte';
import { targetMenu } from '../targets/targets.svelte';
import { orderWith } from './arrange';

/** One thing that can be dialled. */
export interface Entry {
  key: string;
  icon: IconName;
  name: string;
  /** Shown at the right of the name: the extension. */
  mark: string;
  detail: string;
  target: string;
  /** Extension whose lamp belongs to it; empty for what has none. */
  line: string;
  /** Account by which that line is watched. */
  account: string;
  /** The queue that it is. */
  queue?: string;
}

/** Entries under one heading. */
export interface Section {
  key: string;
  title: string;
  note: string;
  entries: Entry[];
  /** Colleagues: how many of them are free is worth saying. */
  people: boolean;
}

/** Which colleagues are listed. */
export type Filter = { kind: 'all' } | { kind: 'favourites' } | { kind: 'group'; name: string } | { kind: 'department'; name: string };

const DEMO_ICONS: Partial<Record<string, IconName>> = {
  echo: 'echo',
  music: 'music',
  speech: 'speech',
  busy: 'busy',
  no_answer: 'clock',
  declines: 'nothing',
  voicemail: 'tape',
  main: 'building',
};

const HIT_LIMIT = 40;
/** How far the showing of an answer is. Numbers between are steps that show more rows each. */
export const Shown = { First: 0, Rows: 3, Whole: 4 } as const;
/** How long after the first rows were painted the next step follows, milliseconds: who types on does not wait for it. */
const REST_MS = 200;
/** And each other after the one before. */
const STEP_MS = 40;
/** How long at most the first rows stand alone, where nothing is painted as nobody sees the window. */
const MOST_MS = 500;
/** Names and numbers in the order people expect. */
const inWords = new Intl.Collator(undefined, { numeric: true });

export class Search {
  text = $state('');
  filter = $state.raw<Filter>({ kind: 'all' });
  /** True while the order must not change under somebody's hand. */
  still = $state(false);
  /** How much of the latest answer is shown: its first rows with the key, the rest in steps, so that the next key never waits for long. */
  shown = $state<number>(Shown.Whole);
  private hits = $state.raw<SearchHit[]>([]);
  /** The query the hits belong to. */
  private answered = $state('');
  private chosen = $state<string | null>(null);
  /** A pinned target that was chosen: it need not be listed. */
  private picked = $state.raw<Entry | null>(null);
  private asked = 0;
  private showing: ReturnType<typeof setTimeout> | undefined;
  private lastRested: Entry | null = null;
  /** The results shown last, by key: one that is still the same is not drawn anew. */
  private kept: Readonly<Record<string, Entry>> = {};
  private frozen: Section[] = [];
  private frozenFor: Filter | null = null;
  private frozenOnly: Only = 'all';
  private readonly desk: Desk;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  readonly query = $derived(this.text.trim());

  readonly departments: { name: string; count: number }[] = $derived.by(() =>
    countDepartments(this.desk.colleagues),
  );

  readonly favourites: number = $derived.by(
    () => this.desk.colleagues.filter((colleague) => layout.isFavourite(colleague.account, colleague.number)).length,
  );

  /** Everybody, as long as nothing is searched. */
  private readonly browsed: Section[] = $derived.by(() => {
    const { sort, only } = layout.own;
    // Free ones first, and only some states, move tiles as lamps change; not while somebody is choosing one.
    const moves = sort === 'free' || only !== 'all';
    if (this.still && moves && this.frozenFor === this.filter && this.frozenOnly === only) return this.frozen;
    this.frozen = browse(this.desk, this.filter, sort, only);
    this.frozenFor = this.filter;
    this.frozenOnly = only;
    return this.frozen;
  });

  /** The account of a colleague, by his number. */
  private readonly accounts: ReadonlyMap<string, string> = $derived.by(() => accountsOf(this.desk.colleagues));

  /** The results: the same ones until others come, whatever is typed meanwhile. */
  private readonly found: Section[] = $derived.by(() => {
    const sections = found(this.desk.t, this.hits, this.accounts, this.kept);
    this.kept = Object.fromEntries(sections.flatMap(({ entries }) => entries).map((entry) => [entry.key, entry]));
    return sections;
  });

  /** Whether results are shown: whoever was listed stays until the first ones come, so that nothing flickers and tiles are kept. */
  readonly searched: boolean = $derived(this.query !== '' && this.answered !== '');

  readonly sections: Section[] = $derived.by(() =>
    this.searched ? [...this.found, ...queueSection(this.desk, this.query)] : this.browsed,
  );

  readonly entries: Entry[] = $derived(this.sections.flatMap((section) => section.entries));

  /** The highlighted entry: the chosen one while it is listed, else the first result of a search. */
  readonly highlighted: Entry | null = $derived(
    this.picked ?? this.entries.find((entry) => entry.key === this.chosen) ?? (this.searched ? (this.entries[0] ?? null) : null),
  );

  /** The same a moment later while one types: what is told of somebody at length does not follow each letter. */
  readonly rested: Entry | null = $derived.by(() => {
    if (this.shown === Shown.Whole) this.lastRested = this.highlighted;
    return this.lastRested;
  });

  /** Place of the highlighted entry; -1 when none is. */
  readonly place: number = $derived(
    this.highlighted === null ? -1 : this.entries.findIndex((entry) => entry.key === this.highlighted?.key),
  );

  /** True once the arrows moved the highlight since the last typing. */
  readonly moved: boolean = $derived(this.chosen !== null || this.picked !== null);

  /** True while the shown results answer what stands in the field. */
  readonly settled: boolean = $derived(this.answered === this.query);

  /** What an action would be for: the highlighted entry, or what was typed while the results are not in yet; empty when nothing is. */
  readonly target: string = $derived(
    this.settled || this.moved ? (this.highlighted?.target ?? this.query) : this.query,
  );

  type(text: string): void {
    // What was asked about, and whose ways were shown, is no longer what stands here.
    costs.leave();
    targetMenu.close();
    this.text = text;
    this.chosen = null;
    this.picked = null;
    void this.find();
  }

  highlight(key: string): void {
    costs.leave();
    targetMenu.close();
    this.showWhole();
    this.chosen = key;
    this.picked = null;
  }

  /** Chooses a pinned target. */
  pick(pin: Pin): void {
    this.picked = pinEntry(pin);
  }

  /** The highlighted one goes so many places further in the own order. False when there is none to move. */
  arrange(by: number): boolean {
    const section = this.sections.find((one) => one.people && one.entries.some((entry) => entry.key === this.highlighted?.key));
    const from = section?.entries.findIndex((entry) => entry.key === this.highlighted?.key) ?? -1;
    if (section === undefined || from < 0 || this.query !== '' || layout.own.sort !== 'own') return false;
    this.put(section.entries, from, Math.min(section.entries.length - 1, Math.max(0, from + by)));
    return true;
  }

  /** One is dropped before another, or after it. Both stand in the same section, or nothing happens. */
  drop(key: string, onto: string): void {
    const section = this.sections.find((one) => one.people && one.entries.some((entry) => entry.key === key));
    const place = (wanted: string): number => section?.entries.findIndex((entry) => entry.key === wanted) ?? -1;
    if (section !== undefined && place(onto) >= 0 && layout.own.sort === 'own') this.put(section.entries, place(key), place(onto));
  }

  private put(entries: readonly Entry[], from: number, to: number): void {
    const moved = [...entries];
    const [one] = moved.splice(from, 1);
    if (one === undefined || from === to) return;
    moved.splice(to, 0, one);
    layout.change({ order: orderWith(layout.choices.order, moved.map((entry) => personKey(entry.account, entry.line))) });
  }

  show(filter: Filter): void {
    this.filter = same(filter, this.filter) ? { kind: 'all' } : filter;
    this.chosen = null;
  }

  /** What was typed, as something that can be chosen. */
  entryFor(text: string): Entry {
    return { key: `typed ${text}`, icon: 'phone', name: text, mark: '', detail: '', target: text, line: '', account: '' };
  }

  /** Empties the field; false when it was empty. */
  clear(): boolean {
    const had = this.text !== '' || this.moved;
    this.type('');
    return had;
  }

  /** Calls a target and empties the field when that was possible. */
  async call(target: string): Promise<void> {
    const natural = this.target === target ? (this.highlighted?.account ?? '') : '';
    await careful(this.desk, { cmd: 'call.dial', to: target, ...dialling.with(this.desk.view.accounts, natural) }, () => {
      dialling.done();
      this.clear();
    });
  }

  private async find(): Promise<void> {
    this.asked += 1;
    const mine = this.asked;
    const text = this.query;
    if (text === '') {
      this.hits = [];
      this.answered = '';
      this.showWhole();
      return;
    }
    const hits = await this.desk.send({ cmd: 'contacts.search', text, limit: HIT_LIMIT });
    // A later key press asked again: this answer is stale.
    if (mine !== this.asked || hits === undefined) return;
    // The same answer as before leaves everything as it stands.
    if (this.answered === '' || !alikeHits(this.hits, hits)) {
      this.hits = hits;
      this.hurry();
    }
    this.answered = text;
  }

  /** Shows the first rows of an answer now, and what is below and beside them once these were painted. */
  private hurry(): void {
    this.shown = Shown.First;
    this.showMoreIn(MOST_MS);
    const mine = this.asked;
    requestAnimationFrame(() => {
      if (mine === this.asked && this.shown === Shown.First) this.showMoreIn(REST_MS);
    });
  }

  /** Shows all of the latest answer now: whoever is highlighted is the one that is told of at length. */
  showWhole(): void {
    clearTimeout(this.showing);
    this.shown = Shown.Whole;
  }

  private showMoreIn(ms: number): void {
    clearTimeout(this.showing);
    this.showing = setTimeout(() => {
      this.shown += 1;
      if (this.shown < Shown.Whole) this.showMoreIn(STEP_MS);
    }, ms);
  }
}

export function same(a: Filter, b: Filter): boolean {
  return a.kind === b.kind && (!('name' in a) || ('name' in b && a.name === b.name));
}

function countDepartments(colleagues: readonly ColleagueView[]): { name: string; count: number }[] {
  const counts: Record<string, number> = {};
  for (const { department } of colleagues) counts[department] = (counts[department] ?? 0) + 1;
  return Object.entries(counts)
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => inWords.compare(a.name, b.name));
}

/** How many stand in each of the user's groups. */
export function membersOf(colleagues: readonly ColleagueView[], group: string): number {
  return colleagues.filter((one) => layout.isIn(group, personKey(one.account, one.number))).length;
}

function browse(desk: Desk, filter: Filter, sort: Sort, only: Only): Section[] {
  const { t } = desk;
  const sections: Section[] = [];
  const { demo } = desk.view;
  if (demo !== null && filter.kind === 'all' && only === 'all') sections.push(demoSection(t, demo));
  const members = desk.colleagues.filter((one) => listed(one, filter) && (only === 'all' || isOnly(desk, one, only)));
  const groups: Record<string, ColleagueView[]> = {};
  for (const one of members) (groups[one.department] ??= []).push(one);
  const names = Object.keys(groups).sort((a, b) => Number(a === '') - Number(b === '') || inWords.compare(a, b));
  for (const name of names) {
    const people = [...(groups[name] ?? [])].sort(inOrder(desk, sort));
    sections.push({
      key: `department ${name}`,
      title: name === '' ? t.search.noDepartment : name,
      note: '',
      people: true,
      entries: people.map(colleagueEntry),
    });
  }
  if (filter.kind === 'all' && only === 'all') sections.push(...queueSection(desk, ''));
  return sections;
}

/** Queues that a caller can be sent to, as far as a query finds them. */
function queueSection(desk: Desk, query: string): Section[] {
  const queues = desk.centre.ordered.filter((queue) => queue.number !== '' && finds(query, queue));
  if (queues.length === 0) return [];
  const entries = queues.map(({ account, queue, name, number }): Entry => ({
    key: `queue ${account} ${queue}`, icon: 'queue', name, mark: number, detail: desk.t.queue.name, target: number, line: '', account, queue,
  }));
  return [{ key: 'queues', title: desk.t.queue.heading, note: '', people: false, entries }];
}

function listed(one: ColleagueView, filter: Filter): boolean {
  if (filter.kind === 'favourites') return layout.isFavourite(one.account, one.number);
  if (filter.kind === 'group') return layout.isIn(filter.name, personKey(one.account, one.number));
  return filter.kind === 'all' || one.department === filter.name;
}

const ONLY_TONES: Record<Exclude<Only, 'all'>, readonly Tone[]> = {
  free: ['free'], talking: ['busy', 'held'], ringing: ['ring'], away: ['dnd', 'forward', 'night', 'off'], unsure: ['unsure'],
};

/** Whether a colleague's lamp shows one of these. One without a lamp shows none. */
function isOnly(desk: Desk, one: ColleagueView, only: Exclude<Only, 'all'>): boolean {
  const known = desk.lamps.of(one.account, one.number);
  return known !== undefined && ONLY_TONES[only].includes(lampOf(desk.t, known.line, known.seen, 0).tone);
}

const isFree = (desk: Desk, account: string, number: string): boolean => {
  const line = desk.lamps.of(account, number)?.line;
  return line !== undefined && showsFree(line);
};

function inOrder(desk: Desk, sort: Sort): (a: ColleagueView, b: ColleagueView) => number {
  const byName = (a: ColleagueView, b: ColleagueView): number => inWords.compare(a.name, b.name);
  if (sort === 'own') {
    const places = new Map(layout.choices.order.map((person, place) => [person, place]));
    const placeOf = (one: ColleagueView): number => places.get(personKey(one.account, one.number)) ?? Number.MAX_SAFE_INTEGER;
    return (a, b) => placeOf(a) - placeOf(b) || byName(a, b);
  }
  if (sort === 'number') return (a, b) => inWords.compare(a.number, b.number);
  if (sort === 'free') return (a, b) => Number(isFree(desk, b.account, b.number)) - Number(isFree(desk, a.account, a.number)) || byName(a, b);
  return byName;
}

/** "11 vrij van 38", or only how many where no lamp is known. */
export function howMany(desk: Desk, entries: readonly Entry[]): string {
  const known = entries.some((one) => desk.lamps.of(one.account, one.line) !== undefined);
  const free = entries.filter((one) => isFree(desk, one.account, one.line)).length;
  return known ? desk.t.search.freeOf(free, entries.length) : String(entries.length);
}

const made = new WeakMap<ColleagueView, Entry>();

/** The entry of a colleague; the same one as long as he is the same. */
function colleagueEntry(one: ColleagueView): Entry {
  const known = made.get(one);
  if (known !== undefined) return known;
  const { name, number, department, account } = one;
  const key = `colleague ${account} ${number}`;
  const entry: Entry = { key, icon: 'person', name, mark: number, detail: department, target: number, line: number, account };
  made.set(one, entry);
  return entry;
}

function demoSection(t: Messages, demo: DemoView): Section {
  return {
    key: 'demo',
    title: t.demo.heading(demo.company),
    note: '',
    people: false,
    entries: demo.numbers.map(({ kind, number }) => ({
      key: `demo ${kind}`,
      icon: DEMO_ICONS[kind] ?? 'phone',
      name: t.demo.kinds[kind] ?? kind,
      mark: number,
      detail: t.demo.texts[kind] ?? '',
      target: number,
      line: '',
      account: '',
    })),
  };
}

function accountsOf(colleagues: readonly ColleagueView[]): ReadonlyMap<string, string> {
  return new Map(colleagues.map((colleague) => [colleague.number, colleague.account]));
}

function found(t: Messages, hits: readonly SearchHit[], accounts: ReadonlyMap<string, string>, kept: Readonly<Record<string, Entry>>): Section[] {
  if (hits.length === 0) return [];
  const entries = hits.map((hit, place) => {
    const entry = hitEntry(t, hit, place, accounts);
    const before = kept[entry.key];
    return before !== undefined && alike(before, entry) ? before : entry;
  });
  const people = hits.filter((hit) => hit.kind === 'colleague' || hit.kind === 'contact').length;
  const past = hits.filter((hit) => hit.kind === 'history').length;
  return [
    {
      key: 'found',
      title: t.search.found,
      note: t.search.foundCount(people, past),
      people: false,
      entries,
    },
  ];
}

const alikeHits = (a: readonly SearchHit[], b: readonly SearchHit[]): boolean => JSON.stringify(a) === JSON.stringify(b);

const alike = (a: Entry, b: Entry): boolean => (Object.keys(b) as (keyof Entry)[]).every((part) => a[part] === b[part]);

function hitEntry(t: Messages, hit: SearchHit, place: number, accounts: ReadonlyMap<string, string>): Entry {
  const account = hit.account ?? accounts.get(hit.target);
  const extension = accounts.has(hit.target) ? hit.target : '';
  const detail = { colleague: hit.detail, contact: hit.detail, history: hit.detail || t.search.earlier, dial: t.search.asNumber }[hit.kind];
  return {
    key: `hit ${hit.kind} ${hit.target} ${place}`,
    icon: ({ colleague: 'person', contact: 'person', history: 'clock', dial: 'phone' } as const)[hit.kind],
    name: hit.name === '' ? hit.target : hit.name,
    mark: extension,
    detail: extension === '' && detail === '' ? hit.target : detail,
    target: hit.target,
    line: extension,
    account: account ?? '',
  };
}
