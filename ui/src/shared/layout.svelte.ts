// How this person wants the window: role and its panes, density, size of text, contrast, favourites. Kept in the browser's own store; it says nothing of calls.

/** Whose layout is shown. */
export type Role = 'receptionist' | 'employee' | 'agent';
export const ROLES: readonly Role[] = ['receptionist', 'employee', 'agent'];

/** A part of the right column. */
export type PaneId = 'caller' | 'queues' | 'abandoned' | 'contact' | 'phone' | 'sound' | 'history';
const PANES: readonly PaneId[] = ['caller', 'queues', 'abandoned', 'contact', 'phone', 'sound', 'history'];

export type Mode = 'tiles' | 'list';
export type Sort = 'name' | 'free' | 'number';
export type Density = 'comfortable' | 'compact';
export type Contrast = 'system' | 'high';

/** Sizes of text, percent. */
export const TEXT_SIZES = [100, 125, 150, 175, 200] as const;
export type TextSize = (typeof TEXT_SIZES)[number];

/** What each role remembers for itself. */
export interface RoleChoices {
  /** Panes that are folded. */
  closed: PaneId[];
  mode: Mode;
  sort: Sort;
}

export interface Choices {
  role: Role;
  density: Density;
  text: TextSize;
  contrast: Contrast;
  roles: Record<Role, RoleChoices>;
  /** Extensions of favourite colleagues. */
  favourites: string[];
}

/** Which panes a role sees, in order. */
export const PANES_OF: Record<Role, readonly PaneId[]> = {
  receptionist: ['caller', 'queues', 'contact', 'abandoned', 'phone', 'sound', 'history'],
  employee: ['caller', 'contact', 'history', 'phone', 'sound', 'queues'],
  agent: ['queues', 'abandoned', 'caller', 'contact', 'history', 'phone', 'sound'],
};

export function firstChoices(): Choices {
  return {
    role: 'receptionist',
    density: 'comfortable',
    text: 100,
    contrast: 'system',
    roles: {
      receptionist: { closed: ['abandoned'], mode: 'tiles', sort: 'name' },
      employee: { closed: [], mode: 'list', sort: 'name' },
      agent: { closed: ['sound'], mode: 'list', sort: 'free' },
    },
    favourites: [],
  };
}

const oneOf = <T>(known: readonly T[], value: unknown, otherwise: T): T =>
  known.includes(value as T) ? (value as T) : otherwise;

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string').slice(0, 1000) : [];

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
    const { closed, mode, sort } = first.roles[role];
    roles[role] = {
      closed: Array.isArray(of.closed) ? PANES.filter((pane) => (of.closed as unknown[]).includes(pane)) : closed,
      mode: oneOf<Mode>(['tiles', 'list'], of.mode, mode),
      sort: oneOf<Sort>(['name', 'free', 'number'], of.sort, sort),
    };
  }
  return {
    role: oneOf(ROLES, parsed.role, first.role),
    density: oneOf<Density>(['comfortable', 'compact'], parsed.density, first.density),
    text: oneOf(TEXT_SIZES, parsed.text, first.text),
    contrast: oneOf<Contrast>(['system', 'high'], parsed.contrast, first.contrast),
    roles,
    favourites: strings(parsed.favourites),
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

  isFavourite(number: string): boolean {
    return this.choices.favourites.includes(number);
  }

  favour(number: string): void {
    const { favourites } = this.choices;
    this.change({
      favourites: favourites.includes(number) ? favourites.filter((one) => one !== number) : [...favourites, number],
    });
  }
}

export const layout = new Layout();
