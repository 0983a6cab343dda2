// What the middle column lists: colleagues, all or of one department, and the demo's numbers, or the results of a search; and which one is highlighted.

import type { ColleagueView, DemoView, SearchHit } from '../../bindings';
import type { IconName } from '../../shared/Icon.svelte';
import type { Desk } from '../../shared/desk.svelte';
import type { Messages } from '../../i18n';

/** One thing that can be dialled. */
export interface Entry {
  key: string;
  icon: IconName;
  name: string;
  /** Shown at the right of the name: the extension. */
  mark: string;
  detail: string;
  target: string;
}

/** Entries under one heading. */
export interface Section {
  key: string;
  title: string;
  note: string;
  entries: Entry[];
}

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

export class Search {
  text = $state('');
  /** Department shown alone; null for all. */
  department = $state<string | null>(null);
  private hits = $state.raw<SearchHit[]>([]);
  /** The query the hits belong to. */
  private answered = $state('');
  private chosen = $state<string | null>(null);
  private asked = 0;
  private readonly desk: Desk;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  readonly query = $derived(this.text.trim());

  readonly departments: { name: string; count: number }[] = $derived.by(() =>
    countDepartments(this.desk.view.colleagues),
  );

  readonly sections: Section[] = $derived.by(() =>
    this.query === ''
      ? browse(this.desk.t, this.desk.view.colleagues, this.desk.view.demo, this.department)
      : found(this.desk.t, this.hits, this.desk.view.colleagues),
  );

  readonly entries: Entry[] = $derived(this.sections.flatMap((section) => section.entries));

  /** The highlighted entry: the chosen one while it is listed, else the first result of a search. */
  readonly highlighted: Entry | null = $derived(
    this.entries.find((entry) => entry.key === this.chosen) ?? (this.query === '' ? null : (this.entries[0] ?? null)),
  );

  /** True once the arrows moved the highlight since the last typing. */
  readonly moved: boolean = $derived(this.chosen !== null);

  /** True while the shown results answer what stands in the field. */
  readonly settled: boolean = $derived(this.answered === this.query);

  type(text: string): void {
    this.text = text;
    this.chosen = null;
    void this.find();
  }

  highlight(key: string): void {
    this.chosen = key;
  }

  /** Empties the field; false when it was empty. */
  clear(): boolean {
    const had = this.text !== '' || this.chosen !== null;
    this.type('');
    return had;
  }

  /** Calls the highlighted entry, or what was typed when the results are not in yet. */
  dial(): void {
    const target = this.settled || this.chosen !== null ? (this.highlighted?.target ?? this.query) : this.query;
    if (target !== '') void this.call(target);
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

function countDepartments(colleagues: readonly ColleagueView[]): { name: string; count: number }[] {
  const counts: Record<string, number> = {};
  for (const { department } of colleagues) counts[department] = (counts[department] ?? 0) + 1;
  return Object.entries(counts)
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

function browse(
  t: Messages,
  colleagues: readonly ColleagueView[],
  demo: DemoView | null,
  only: string | null,
): Section[] {
  const sections: Section[] = [];
  if (demo !== null && only === null) sections.push(demoSection(t, demo));
  const members = colleagues.filter((colleague) => only === null || colleague.department === only);
  if (members.length > 0) sections.push(colleagueSection(t, members, only));
  return sections;
}

function colleagueSection(t: Messages, members: readonly ColleagueView[], only: string | null): Section {
  return {
    key: 'colleagues',
    title: only === null ? t.search.colleagues : only === '' ? t.search.noDepartment : only,
    note: String(members.length),
    entries: members.map((colleague) => ({
      key: `colleague ${colleague.number}`,
      icon: 'person',
      name: colleague.name,
      mark: colleague.number,
      detail: colleague.department,
      target: colleague.number,
    })),
  };
}

function demoSection(t: Messages, demo: DemoView): Section {
  return {
    key: 'demo',
    title: t.demo.heading(demo.company),
    note: '',
    entries: demo.numbers.map(({ kind, number }) => ({
      key: `demo ${kind}`,
      icon: DEMO_ICONS[kind] ?? 'phone',
      name: t.demo.kinds[kind] ?? kind,
      mark: number,
      detail: t.demo.texts[kind] ?? '',
      target: number,
    })),
  };
}

function found(t: Messages, hits: readonly SearchHit[], colleagues: readonly ColleagueView[]): Section[] {
  if (hits.length === 0) return [];
  const people = hits.filter((hit) => hit.kind === 'colleague').length;
  const past = hits.filter((hit) => hit.kind === 'history').length;
  const numbers = new Set(colleagues.map((colleague) => colleague.number));
  return [
    {
      key: 'found',
      title: t.search.found,
      note: t.search.foundCount(people, past),
      entries: hits.map((hit, place) => hitEntry(t, hit, place, numbers)),
    },
  ];
}

function hitEntry(t: Messages, hit: SearchHit, place: number, numbers: ReadonlySet<string>): Entry {
  const extension = numbers.has(hit.target) ? hit.target : '';
  const detail = { colleague: hit.detail, history: hit.detail || t.search.earlier, dial: t.search.asNumber }[hit.kind];
  return {
    key: `hit ${hit.kind} ${hit.target} ${place}`,
    icon: ({ colleague: 'person', history: 'clock', dial: 'phone' } as const)[hit.kind],
    name: hit.name === '' ? hit.target : hit.name,
    mark: extension,
    detail: extension === '' && detail === '' ? hit.target : detail,
    target: hit.target,
  };
}
