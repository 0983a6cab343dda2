// How this person wants the window: role and its panes, sizes and columns, density, size of text, contrast, favourites, groups, pinned targets. Kept in the browser's own store; it says nothing of calls.

/** Whose layout is shown. */
export type Role = 'receptionist' | 'employee' | 'agent';
export const ROLES: readonly Role[] = ['receptionist', 'employee', 'agent'];

/** A part of the right column. */
export type PaneId = 'caller' | 'queues' | 'abandoned' | 'contact' | 'phone' | 'sound' | 'history';
const PANES: readonly PaneId[] = ['caller', 'queues', 'abandoned', 'contact', 'phone', 'sound', 'history'];

export type Mode = 'tiles' | 'list';
export type Sort = 'name' | 'free' | 'number' | 'own';
const SORTS: readonly Sort[] = ['name', 'free', 'number', 'own'];
/** Colleagues in which state are listed. */
export type Only = 'all' | 'free' | 'talking' | 'ringing' | 'away' | 'unsure';
export const ONLY: readonly Only[] = ['all', 'free', 'talking', 'ringing', 'away', 'unsure'];
/** What a row of the list tells beside the name and the state. */
export type Column = 'number' | 'department' | 'since';
export const COLUMNS: readonly Column[] = ['number', 'department', 'since'];
export type Density = 'comfortable' | 'compact';
export type Contrast = 'system' | 'high';

/** Sizes of text, percent. */
export const TEXT_SIZES = [100, 125, 150, 175, 200] as const;
export type TextSize = (typeof TEXT_SIZES)[number];

/** What each role remembers for itself. */
export interface RoleChoices {
  /** Panes that are shown, in their order. */
  panes: PaneId[];
  /** Panes that are folded. */
  closed: PaneId[];
  mode: Mode;
  sort: Sort;
  only: Only;
  columns: Column[];
  /** Widths of the left and the right column, rem; null: as the window has them. */
  calls: number | null;
  about: number | null;
}

/** How narrow and how wide a column may be made, rem. */
export const WIDTHS = { calls: { least: 17, most: 32, first: 23 }, about: { least: 14, most: 30, first: 19.5 } } as const;
export type Side = keyof typeof WIDTHS;

/** Colleagues that the user put together. Members as `personKey` writes them. */
export interface Group {
  name: string;
  members: string[];
}

/** Somebody or something that has a number key of its own. */
export interface Pin {
  name: string;
  target: string;
  /** Extension whose lamp belongs to it, and the account that watches it; empty for what has none. */
  line: string;
  account: string;
}
export const MOST_PINS = 9;

/** An account's id has no space. */
export const personKey = (account: string, number: string): string => `${account} ${number}`;

export interface Choices {
  role: Role;
  density: Density;
  text: TextSize;
  contrast: Contrast;
  roles: Record<Role, RoleChoices>;
  /** Extensions of favourite colleagues. */
  favourites: string[];
  groups: Group[];
  /** In the order of their keys. */
  pins: Pin[];
  /** Own order of colleagues; who is not in it follows by name. */
  order: string[];
}

/** Which panes a role sees, in order. */
export const PANES_OF: Record<Role, readonly PaneId[]> = {
  receptionist: ['caller', 'queues', 'contact', 'abandoned', 'phone', 'sound', 'history'],
  employee: ['caller', 'contact', 'history', 'phone', 'sound', 'queues'],
  agent: ['queues', 'abandoned', 'caller', 'contact', 'history', 'phone', 'sound'],
};

const ofRole = (role: Role, closed: PaneId[], mode: Mode, sort: Sort): RoleChoices =>
  ({ panes: [...PANES_OF[role]], closed, mode, sort, only: 'all', columns: [...COLUMNS], calls: null, about: null });

export function firstChoices(): Choices {
  return {
    role: 'receptionist',
    density: 'comfortable',
    text: 100,
    contrast: 'system',
    roles: {
      receptionist: ofRole('receptionist', ['abandoned'], 'tiles', 'name'),
      employee: ofRole('employee', ['queues'], 'list', 'name'),
      agent: ofRole('agent', ['sound'], 'list', 'free'),
    },
    favourites: [],
    groups: [],
    pins: [],
    order: [],
  };
}

const oneOf = <T>(known: readonly T[], value: unknown, otherwise: T): T =>
  known.includes(value as T) ? (value as T) : otherwise;

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string').slice(0, 1000) : [];

const text = (value: unknown, most: number): string => (typeof value === 'string' ? value.slice(0, most) : '');
const list = (value: unknown, most: number): unknown[] => (Array.isArray(value) ? value.slice(0, most) : []);

function readPins(value: unknown): Pin[] {
  return list(value, MOST_PINS)
    .map(record)
    .map(({ name, target, line, account }) => ({ name: text(name, 256), target: text(target, 256), line: text(line, 256), account: text(account, 256) }))
    .filter((pin) => pin.target !== '');
}

const MOST_GROUPS = 40;

function readGroups(value: unknown): Group[] {
  return list(value, MOST_GROUPS)
    .map(record)
    .map(({ name, members }) => ({ name: text(name, 64).trim(), members: strings(members) }))
    .filter(({ name, members }, place, all) => name !== '' && members.length > 0 && all.findIndex((one) => one.name === name) === place);
}

function width(side: Side, value: unknown): number | null {
  const { least, most } = WIDTHS[side];
  return typeof value === 'number' && value >= least && value <= most ? value : null;
}

/** Each once; what is unknown is left out. */
const readPanes = (value: readonly unknown[]): PaneId[] =>
  value.filter((one, place): one is PaneId => PANES.includes(one as PaneId) && value.indexOf(one) === place);

/** Reads what was kept; whatever makes no sense is as at first. */
export function readChoices(kept: string | null): Choices {
  const first = firstChoices();
  let parsed: Record<string, unknown>;
  try {
    parsed = record(JSON.parse(kept ?? '{}'));
  } catch {
    return first;
  }
  const keptRoles = record(parsed.roles);
  const roles = { ...first.roles };
  for (const role of ROLES) {
    const of = record(keptRoles[role]);
    const { panes, closed, mode, sort, columns } = first.roles[role];
    roles[role] = {
      panes: Array.isArray(of.panes) ? readPanes(of.panes) : panes,
      only: oneOf(ONLY, of.only, 'all'),
      columns: Array.isArray(of.columns) ? COLUMNS.filter((one) => (of.columns as unknown[]).includes(one)) : columns,
      calls: width('calls', of.calls),
      about: width('about', of.about),
      closed: Array.isArray(of.closed) ? PANES.filter((pane) => (of.closed as unknown[]).includes(pane)) : closed,
      mode: oneOf<Mode>(['tiles', 'list'], of.mode, mode),
      sort: oneOf(SORTS, of.sort, sort),
    };
  }
  return {
    role: oneOf(ROLES, parsed.role, first.role),
    density: oneOf<Density>(['comfortable', 'compact'], parsed.density, first.density),
    text: oneOf(TEXT_SIZES, parsed.text, first.text),
    contrast: oneOf<Contrast>(['system', 'high'], parsed.contrast, first.contrast),
    roles,
    favourites: strings(parsed.favourites),
    groups: readGroups(parsed.groups),
    pins: readPins(parsed.pins),
    order: strings(parsed.order),
  };
}

const KEY = 'balie.layout';

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    // A page without a store of its own begins anew each time.
    return null;
  }
}

export class Layout {
  choices = $state.raw<Choices>(readChoices(stored()));

  readonly role: Role = $derived(this.choices.role);
  /** What the present role remembers. */
  readonly own: RoleChoices = $derived(this.choices.roles[this.choices.role]);

  /** Follows what another window of the program chooses; returns what undoes it. */
  follow(): () => void {
    const heard = (event: StorageEvent): void => {
      if (event.key === KEY) this.choices = readChoices(event.newValue);
    };
    addEventListener('storage', heard);
    return () => removeEventListener('storage', heard);
  }

  change(part: Partial<Choices>): void {
    this.choices = { ...this.choices, ...part };
    try {
      localStorage.setItem(KEY, JSON.stringify(this.choices));
    } catch {
      // Kept for as long as the page lives.
    }
  }

  changeOwn(part: Partial<RoleChoices>): void {
    this.change({ roles: { ...this.choices.roles, [this.role]: { ...this.own, ...part } } });
  }

  isOpen(pane: PaneId): boolean {
    return !this.own.closed.includes(pane);
  }

  fold(pane: PaneId): void {
    const { closed } = this.own;
    this.changeOwn({ closed: closed.includes(pane) ? closed.filter((one) => one !== pane) : [...closed, pane] });
  }

  /** Moves a pane up or down in its column. */
  movePane(pane: PaneId, by: number): void {
    const panes = this.own.panes.filter((one) => one !== pane);
    const from = this.own.panes.indexOf(pane);
    if (from < 0) return;
    panes.splice(Math.max(0, from + by), 0, pane);
    this.changeOwn({ panes });
  }

  /** Brings a pane into the column, unfolded. */
  bring(pane: PaneId): void {
    const { panes, closed } = this.own;
    this.changeOwn({ panes: panes.includes(pane) ? panes : [...panes, pane], closed: closed.filter((one) => one !== pane) });
  }

  /** A bare number was chosen before companies were told apart: it stands for him at each. */
  isFavourite(account: string, number: string): boolean {
    const { favourites } = this.choices;
    return favourites.includes(personKey(account, number)) || favourites.includes(number);
  }

  favour(account: string, number: string): void {
    const person = personKey(account, number);
    const { favourites } = this.choices;
    this.change({
      favourites: this.isFavourite(account, number) ? favourites.filter((one) => one !== person && one !== number) : [...favourites, person],
    });
  }

  isIn(group: string, person: string): boolean {
    return this.choices.groups.find(({ name }) => name === group)?.members.includes(person) ?? false;
  }

  /** Puts somebody into a group, or takes him out. A group begins with its first member and ends with its last. */
  toggleIn(group: string, person: string): void {
    const name = group.trim().slice(0, 64);
    const { groups } = this.choices;
    if (name === '') return;
    const known = groups.find((one) => one.name === name);
    if (known === undefined) {
      if (groups.length < MOST_GROUPS) this.change({ groups: [...groups, { name, members: [person] }] });
      return;
    }
    const members = known.members.includes(person) ? known.members.filter((one) => one !== person) : [...known.members, person];
    this.change({ groups: groups.map((one) => (one === known ? { name, members } : one)).filter((one) => one.members.length > 0) });
  }

  isPinned(target: string): boolean {
    return this.choices.pins.some((pin) => pin.target === target);
  }

  /** Gives a target the next free number key, or takes it away. False when all are given. */
  pin(wanted: Pin): boolean {
    const { pins } = this.choices;
    const others = pins.filter((pin) => pin.target !== wanted.target);
    if (others.length < pins.length) this.change({ pins: others });
    else if (pins.length < MOST_PINS) this.change({ pins: [...pins, wanted] });
    else return false;
    return true;
  }

  /** Gives the pins another order: the one at a place goes to another. */
  movePin(from: number, to: number): void {
    const pins = [...this.choices.pins];
    const [moved] = pins.splice(from, 1);
    if (moved === undefined || to < 0 || to > pins.length) return;
    pins.splice(to, 0, moved);
    this.change({ pins });
  }

  /** Width of a column, rem; null: back to the window's own. */
  widen(side: Side, rem: number | null): void {
    const { least, most } = WIDTHS[side];
    this.changeOwn({ [side]: rem === null ? null : Math.round(Math.min(most, Math.max(least, rem)) * 4) / 4 });
  }
}

export const layout = new Layout();
