// The page's one store: the latest view, the texts, the clock, and the way commands go out.

import type { AppView, CallView, ColleagueView, Command, Language, Levels, ParkedView, SourceView, Theme } from '../bindings';
import { type Answer, type Desktop, type Host, HostError, type OwnWindow, type PaneWindow } from '../host/types';
import { NO_HOTKEYS } from '../features/desktop/hotkeys';
import { Centre } from '../features/centre/centre.svelte';
import { Lamps } from '../features/lines/lamps.svelte';
import { type Flow, flows, isIn } from '../features/transfers/flow';
import { type Messages, messagesFor } from '../i18n';
import type { Role } from './layout.svelte';

const EMPTY: AppView = {
  version: '',
  needs_setup: false,
  accounts: [],
  calls: [],
  history: [],
  missed: 0,
  transfers: [],
  audio: { inputs: [], outputs: [], input: null, output: null, ringers: [], most_ringers: 4, alerts: null, echo_cancelling: true, noise_suppression: true, gain_control: true, queue_alarms: true, notice_sounds: true, rings: [], ring_tried: null, test: 'off', headset: { available: false, on: true, light_on: true, devices: [], device: null, used: null, light: null, trouble: null }, problem: null },
  recording: { enabled: false, format: 'opus', folder: '', folder_used: '', announcement: '', keep_days: 30 },
  demo: null,
  colleagues: [],
  notices: [],
  prepared: null,
  help: { numbers: [], account: null, warning: null },
  settings: { language: 'system', theme: 'system', hotkeys: NO_HOTKEYS, guard: { premium: true, foreign: true, never: [], country: 'NL' }, notices: { calls: null, missed: true } },
};

/** A refusal of a command, shown until it is read or replaced. */
export interface Trouble {
  id: number;
  error: HostError;
}

/** A parked call and the account that sees it. */
export type ParkedCall = ParkedView & { account: string };

export class Desk {
  view = $state.raw<AppView>(EMPTY);
  /** Colleagues; the same list for as long as nobody came, went or changed, so that a thousand tiles are not made anew with each view. */
  colleagues = $state.raw<readonly ColleagueView[]>([]);
  levels = $state.raw<Levels>({ microphone: 0, speaker: 0 });
  /** True once the first view came. */
  ready = $state(false);
  /** Wall clock, milliseconds; ticks four times a second so that no counted second is skipped. */
  now = $state(Date.now());
  /** The same clock at the last full minute, for what shows days and times of day: it is written anew once a minute. */
  readonly minute: number = $derived(Math.floor(this.now / 60_000) * 60_000);
  /** The last refusal that nobody handled otherwise. */
  trouble = $state.raw<Trouble | null>(null);
  systemLanguages: readonly string[] = $state.raw(['nl']);
  /** Address books and directories that contacts are read from. */
  sources = $state.raw<readonly SourceView[]>([]);
  readonly lamps = new Lamps();
  readonly centre = new Centre();

  readonly t: Messages = $derived(messagesFor(this.view.settings.language, this.systemLanguages));

  /** Callers on their way to somebody. */
  readonly flows: Flow[] = $derived(flows(this.view.calls));

  /** Calls that ring here, longest first. */
  readonly ringing: CallView[] = $derived(
    this.view.calls
      .filter((call) => call.direction === 'in' && call.state === 'ringing')
      .sort((a, b) => a.started_ms - b.started_ms),
  );
  /** Calls on hold, newest hold first: the first is the one a single key takes back. Those of a consultation stand with it. */
  readonly held: CallView[] = $derived(
    this.view.calls
      .filter((call) => call.state === 'held' && !isIn(this.flows, call))
      .sort((a, b) => b.since_ms - a.since_ms),
  );
  /** Calls that are neither ringing here, held, nor over: the one in conversation and those being dialled. */
  readonly current: CallView[] = $derived(
    this.view.calls.filter(
      (call) =>
        !(call.direction === 'in' && call.state === 'ringing') && call.state !== 'held' && call.state !== 'ended',
    ),
  );
  /** Who is parked at an own line or one of the group, longest first. */
  readonly parked: ParkedCall[] = $derived(
    this.centre.present
      .flatMap(({ account, parked }) => parked.map((one) => ({ ...one, account })))
      .sort((a, b) => a.since_ms - b.since_ms),
  );
  /** Calls just over, shown for as long as the program lists them. */
  readonly over: CallView[] = $derived(this.view.calls.filter((call) => call.state === 'ended'));

  private troubles = 0;
  private toldOfSources = false;
  private readonly host: Host;

  constructor(host: Host) {
    this.host = host;
  }

  /** Connects to the host; returns what undoes it. */
  async open(): Promise<() => void> {
    this.systemLanguages = navigator.languages;
    const clock = setInterval(() => (this.now = Date.now()), 250);
    const close = await this.host.subscribe((update) => {
      if (update.kind === 'view') this.show(update.value);
      else if (update.kind === 'changed') this.show({ ...this.view, ...update.value });
      else if (update.kind === 'levels') this.levels = update.value;
      else if (update.kind === 'lines') this.lamps.apply(update.value, Date.now());
      else if (update.kind === 'centre') this.centre.apply(update.value);
      else if (update.kind === 'queues') this.centre.applyQueues(update.value);
      else [this.sources, this.toldOfSources] = [update.value, true];
    });
    if (!this.ready) {
      const view = await this.host.control({ cmd: 'view.get' });
      // An update that came meanwhile is newer than the answer.
      if (!this.ready) this.show(view);
    }
    await this.readTheRest();
    return () => {
      clearInterval(clock);
      close();
    };
  }

  /** What was told before this page was there. News that came meanwhile is newer by its version. */
  private async readTheRest(): Promise<void> {
    // What is refused here is told by updates when there is something to tell; the calls do not wait for it.
    const [lines, centres, queues, sources] = await Promise.all([
      this.host.control({ cmd: 'line.list' }).catch(() => []),
      this.host.control({ cmd: 'centre.get' }).catch(() => []),
      this.host.control({ cmd: 'queue.list' }).catch(() => []),
      this.host.control({ cmd: 'sources.list' }).catch(() => []),
    ]);
    this.lamps.apply(lines, Date.now());
    for (const centre of centres) this.centre.apply(centre);
    this.centre.applyQueues(queues);
    // An update that came meanwhile is newer than the answer.
    if (!this.toldOfSources) this.sources = sources;
  }

  /** Sends a command; a refusal is shown to the user and gives undefined. */
  async send<C extends Command>(command: C): Promise<Answer<C['cmd']> | undefined> {
    try {
      const answer = await this.host.control(command);
      if (command.cmd !== 'levels.watch' && command.cmd !== 'contacts.search') this.trouble = null;
      return answer;
    } catch (error) {
      this.refuse(error);
      return undefined;
    }
  }

  /** Sends a command whose refusal the caller shows in its own place. */
  ask<C extends Command>(command: C): Promise<Answer<C['cmd']>> {
    return this.host.control(command);
  }

  /** The window that this page is in. */
  get window(): OwnWindow {
    return this.host.window;
  }

  /** The desktop around the program. */
  get desktop(): Desktop {
    return this.host.desktop;
  }

  /** Opens the wallboard in its own window; a refusal is shown to the user. */
  openBoard(): Promise<void> {
    return this.tryTo(() => this.host.openBoard());
  }

  /** Opens a part of the desk in its own window; a refusal is shown to the user. */
  openPane(pane: PaneWindow): Promise<void> {
    return this.tryTo(() => this.host.openPane(pane));
  }

  /** Brings up the windows of a role; a refusal is shown to the user. */
  showRole(role: Role): Promise<void> {
    return this.tryTo(() => this.host.showRole(role));
  }

  /** Does something that may be refused; the refusal is shown to the user. */
  async tryTo(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.refuse(error);
    }
  }

  retrieve({ slot, account }: ParkedCall): void {
    void this.send({ cmd: 'call.retrieve', slot, account });
  }

  refuse(error: unknown): void {
    this.troubles += 1;
    const known = error instanceof HostError ? error : new HostError('internal', String(error));
    this.trouble = { id: this.troubles, error: known };
  }

  setLanguage(language: Language): void {
    void this.send({ cmd: 'settings.set', language });
  }

  setTheme(theme: Theme): void {
    void this.send({ cmd: 'settings.set', theme });
  }

  private show(view: AppView): void {
    this.view = view;
    if (!sameColleagues(this.colleagues, view.colleagues)) this.colleagues = view.colleagues;
    this.ready = true;
  }
}

function sameColleagues(a: readonly ColleagueView[], b: readonly ColleagueView[]): boolean {
  return (
    a.length === b.length &&
    a.every((one, place) => one.name === b[place]?.name && one.number === b[place].number && one.mobile === b[place].mobile && one.department === b[place].department)
  );
}

let desk: Desk | undefined;

/** The store of this page. */
export function useDesk(): Desk {
  if (desk === undefined) throw new Error('the page was not started');
  return desk;
}

/** Puts the store in place, once a page. */
export function provideDesk(made: Desk): void {
  desk = made;
}
