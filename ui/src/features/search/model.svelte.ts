// What the middle column lists: colleagues in groups and the demo's numbers, or the results of a search; in which order; and which one is highlighted.

import type { ColleagueView, DemoView, SearchHit } from '../../bindings';
import type { Messages } from '../../i18n';
import type { Desk } from '../../shared/desk.svelte';
import type { IconName } from '../../shared/Icon.svelte';
import { layout, type Sort } from '../../shared/layout.svelte';

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
export type Filter = { kind: 'all' } | { kind: 'favourites' } | { kind: 'department'; name: string };

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
/** Names and numbers in the order people expect. */
const inWords = new Intl.Collator(undefined, { numeric: true });

export class Search {
  text = $state('');
  filter = $state.raw<Filter>({ kind: 'all' });
  /** True while the order must not change under somebody's hand. */
  still = $state(false);
  private hits = $state.raw<SearchHit[]>([]);
  /** The query the hits belong to. */
  private answered = $state('');
  private chosen = $state<string | null>(null);
  private asked = 0;
  private frozen: Section[] = [];
  private frozenFor: Filter | null = null;
  private readonly desk: Desk;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  readonly query = $derived(this.text.trim());

  readonly departments: { name: string; count: number }[] = $derived.by(() =>
    countDepartments(this.desk.colleagues),
  );

  readonly favourites: number = $derived.by(
    () => this.desk.colleagues.filter((colleague) => layout.isFavourite(colleague.number)).length,
  );

  /** Everybody, as long as nothing is searched. */
  private readonly browsed: Section[] = $derived.by(() => {
    // Free ones first moves tiles as lamps change; not while somebody is choosing one.
    if (this.still && layout.own.sort === 'free' && this.frozenFor === this.filter) return this.frozen;
    this.frozen = browse(this.desk, this.filter, layout.own.sort);
    this.frozenFor = this.filter;
    return this.frozen;
  });

  readonly sections: Section[] = $derived.by(() =>
    this.query === '' ? this.browsed : found(this.desk.t, this.hits, this.desk.colleagues),
  );

  readonly entries: Entry[] = $derived(this.sections.flatMap((section) => section.entries));

  /** The highlighted entry: the chosen one while it is listed, else the first result of a search. */
  readonly highlighted: Entry | null = $derived(
    this.entries.find((entry) => entry.key === this.chosen) ?? (this.query === '' ? null : (this.entries[0] ?? null)),
  );

  /** Place of the highlighted entry; -1 when none is. */
  readonly place: number = $derived(
    this.highlighted === null ? -1 : this.entries.findIndex((entry) => entry.key === this.highlighted?.key),
  );

  /** True once the arrows moved the highlight since the last typing. */
  readonly moved: boolean = $derived(this.chosen !== null);

  /** True while the shown results answer what stands in the field. */
  readonly settled: boolean = $derived(this.answered === this.query);

  /** What an action would be for: the highlighted entry, or what was typed while the results are not in yet; empty when nothing is. */
  readonly target: string = $derived(
    this.settled || this.chosen !== null ? (this.highlighted?.target ?? this.query) : this.query,
  );

  type(text: string): void {
    this.text = text;
    this.chosen = null;
    void this.find();
  }

  highlight(key: string): void {
    this.chosen = key;
  }

  show(filter: Filter): void {
    this.filter = same(filter, this.filter) ? { kind: 'all' } : filter;
    this.chosen = null;
  }

  /** Empties the field; false when it was empty. */
  clear(): boolean {
    const had = this.text !== '' || this.chosen !== null;
    this.type('');
    return had;
  }

  /** Calls a target and empties the field when that was possible. */
  async call(target: string): Promise<void> {
    const made = await this.desk.send({ cmd: 'call.dial', to: target });
    if (made !== undefined) this.clear();
  }

  private async find(): Promise<void> {
    this.asked += 1;
    const mine = this.asked;
    const text = this.query;
    if (text === '') {
      this.hits = [];
      this.answered = '';
      return;
    }
    const hits = await this.desk.send({ cmd: 'contacts.search', text, limit: HIT_LIMIT });
    // A later key press asked again: this answer is stale.
    if (mine !== this.asked || hits === undefined) return;
    this.hits = hits;
    this.answered = text;
  }
}

export function same(a: Filter, b: Filter): boolean {
  return a.kind === b.kind && (a.kind !== 'department' || (b.kind === 'department' && a.name === b.name));
}

function countDepartments(colleagues: readonly ColleagueView[]): { name: string; count: number }[] {
  const counts: Record<string, number> = {};
  for (const { department } of colleagues) counts[department] = (counts[department] ?? 0) + 1;
  return Object.entries(counts)
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => inWords.compare(a.name, b.name));
}

function browse(desk: Desk, filter: Filter, sort: Sort): Section[] {
  const { t } = desk;
  const sections: Section[] = [];
  const { demo } = desk.view;
  if (demo !== null && filter.kind === 'all') sections.push(demoSection(t, demo));
  const members = desk.colleagues.filter((one) => listed(one, filter));
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
  return sections;
}

function listed(one: ColleagueView, filter: Filter): boolean {
  if (filter.kind === 'favourites') return layout.isFavourite(one.number);
  return filter.kind === 'all' || one.department === filter.name;
}

const isFree = (desk: Desk, account: string, number: string): boolean => {
  const line = desk.lamps.of(account, number)?.line;
  return line?.state === 'idle' && line.stale_since_ms === undefined;
};

function inOrder(desk: Desk, sort: Sort): (a: ColleagueView, b: ColleagueView) => number {
  const byName = (a: ColleagueView, b: ColleagueView): number => inWords.compare(a.name, b.name);
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

function found(t: Messages, hits: readonly SearchHit[], colleagues: readonly ColleagueView[]): Section[] {
  if (hits.length === 0) return [];
  const people = hits.filter((hit) => hit.kind === 'colleague').length;
  const past = hits.filter((hit) => hit.kind === 'history').length;
  const accounts = new Map(colleagues.map((colleague) => [colleague.number, colleague.account]));
  return [
    {
      key: 'found',
      title: t.search.found,
      note: t.search.foundCount(people, past),
      people: false,
      entries: hits.map((hit, place) => hitEntry(t, hit, place, accounts)),
    },
  ];
}

function hitEntry(t: Messages, hit: SearchHit, place: number, accounts: ReadonlyMap<string, string>): Entry {
  const account = accounts.get(hit.target);
  const extension = account === undefined ? '' : hit.target;
  const detail = { colleague: hit.detail, history: hit.detail || t.search.earlier, dial: t.search.asNumber }[hit.kind];
  return {
    key: `hit ${hit.kind} ${hit.target} ${place}`,
    icon: ({ colleague: 'person', history: 'clock', dial: 'phone' } as const)[hit.kind],
    name: hit.name === '' ? hit.target : hit.name,
    mark: extension,
    detail: extension === '' && detail === '' ? hit.target : detail,
    target: hit.target,
    line: extension,
    account: account ?? '',
  };
}
