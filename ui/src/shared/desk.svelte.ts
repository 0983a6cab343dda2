// The page's one store: the latest view, the texts, the clock, and the way commands go out.

import type { AppView, CallView, Command, Language, Levels, Theme } from '../bindings';
import { type Answer, type Host, HostError } from '../host/types';
import { Lamps } from '../features/lines/lamps.svelte';
import { type Flow, flows, isIn } from '../features/transfers/flow';
import { follow, type PastTransfer } from '../features/transfers/log';
import { type Messages, messagesFor } from '../i18n';

const EMPTY: AppView = {
  version: '',
  needs_setup: false,
  accounts: [],
  calls: [],
  history: [],
  missed: 0,
  transfers: [],
  audio: { inputs: [], outputs: [], input: null, output: null, ringer: null, problem: null },
  demo: null,
  colleagues: [],
  notices: [],
  settings: { language: 'system', theme: 'system' },
};

/** A refusal of a command, shown until it is read or replaced. */
export interface Trouble {
  id: number;
  error: HostError;
}

export class Desk {
  view = $state.raw<AppView>(EMPTY);
  levels = $state.raw<Levels>({ microphone: 0, speaker: 0 });
  /** True once the first view came. */
  ready = $state(false);
  /** Wall clock, milliseconds; ticks four times a second so that no counted second is skipped. */
  now = $state(Date.now());
  /** The last refusal that nobody handled otherwise. */
  trouble = $state.raw<Trouble | null>(null);
  systemLanguages: readonly string[] = $state.raw(['nl']);
  readonly lamps = new Lamps();

  readonly t: Messages = $derived(messagesFor(this.view.settings.language, this.systemLanguages));

  /** Callers on their way to somebody. */
  readonly flows: Flow[] = $derived(flows(this.view.calls));
  /** Where the last callers went, newest first. */
  transfers = $state.raw<readonly PastTransfer[]>([]);

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
  /** Calls just over, shown for as long as the program lists them. */
  readonly over: CallView[] = $derived(this.view.calls.filter((call) => call.state === 'ended'));

  private troubles = 0;
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
      else if (update.kind === 'levels') this.levels = update.value;
      else if (update.kind === 'lines') this.lamps.apply(update.value, Date.now());
    });
    if (!this.ready) {
      const view = await this.host.control({ cmd: 'view.get' });
      // An update that came meanwhile is newer than the answer.
      if (!this.ready) this.show(view);
    }
    // Lines that were watched before this page was there.
    this.lamps.apply(await this.host.control({ cmd: 'line.list' }), Date.now());
    return () => {
      clearInterval(clock);
      close();
    };
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
    if (this.ready) this.transfers = follow(this.transfers, this.view, view, Date.now());
    this.view = view;
    this.ready = true;
  }
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
