// What the page needs of whatever runs it: commands in, updates out. Nothing else crosses this line.

import type { Role } from '../shared/layout.svelte';
import type {
  AccountSaved,
  AppView,
  AvailabilityView,
  CallBackView,
  CallCreated,
  CentreView,
  Code,
  Command,
  ConsultCreated,
  ContactSourceView, ContactView,
  DemoView,
  DesktopState,
  DiscoveredAccount,
  Done,
  ErasedReport,
  GreetingRecording,
  Hotkeys,
  HistoryEntry,
  ImportPreview,
  ImportReport,
  LineView,
  MessageView,
  NoteView,
  PersonalNumberView,
  PrivacyReport, PrivacyView, ScreenPopView,
  QueueView,
  SearchHit,
  SourceSignedIn, SourceSignIn, SourceTest,
  SourceView,
  NumberView,
  TargetView,
  TestReport,
  Update,
} from '../bindings';

/** Answers that are more than "done". */
interface Answers {
  'view.get': AppView;
  'call.dial': CallCreated;
  'call.transfer.consult': ConsultCreated;
  'contacts.search': SearchHit[];
  'contacts.lookup': SearchHit[];
  'contacts.sources': ContactSourceView[];
  'contacts.get': ContactView;
  'contacts.availability': AvailabilityView[];
  'contacts.merge': ContactView;
  'contacts.preview': ImportPreview;
  'contacts.import': ImportReport;
  'sources.list': SourceView[];
  'sources.test': SourceTest;
  'sources.add': SourceView;
  'sources.change': SourceView;
  'sources.sign_in': SourceSignIn;
  'sources.signed_in': SourceSignedIn;
  'note.add': NoteView;
  'note.list': NoteView[];
  'call_back.add': CallBackView[];
  'call_back.list': CallBackView[];
  'call_back.done': CallBackView[];
  'privacy.get': PrivacyView;
  'privacy.set': PrivacyView;
  'screen_pop.get': ScreenPopView;
  'screen_pop.set': ScreenPopView;
  'privacy.export': PrivacyReport;
  'privacy.erase': ErasedReport;
  'history.list': HistoryEntry[];
  'account.test': TestReport;
  'account.discover': DiscoveredAccount;
  'account.save': AccountSaved;
  'demo.start': DemoView;
  'line.list': LineView[];
  'centre.get': CentreView[];
  'queue.list': QueueView[];
  'target.list': TargetView[];
  'number.describe': NumberView;
  'greeting.get': GreetingRecording;
  'message.list': MessageView[];
  'message.get': GreetingRecording;
  'personal_number.list': PersonalNumberView[];
}

export type CommandName = Command['cmd'];

/** What a command gives back when it succeeds. */
export type Answer<Name extends CommandName> = Name extends keyof Answers ? Answers[Name] : Done;

/** A refusal: a stable word the page translates, and a sentence for the log. */
export class HostError extends Error {
  readonly code: Code;

  constructor(code: Code, message: string) {
    super(message);
    this.name = 'HostError';
    this.code = code;
  }
}

/** The window that the page is in. */
export interface OwnWindow {
  fillsScreen(): Promise<boolean>;
  fillScreen(on: boolean): Promise<void>;
  close(): Promise<void>;
}

/** The desktop around the program. What it refuses rejects with a {@link HostError}. */
export interface Desktop {
  state(): Promise<DesktopState>;
  startAtLogin(on: boolean): Promise<void>;
  /** Takes the keys and keeps them in the settings; those that another program has are in the state afterwards. */
  setHotkeys(hotkeys: Hotkeys): Promise<void>;
}

/** A part of the desk that may have a window of its own. */
export type PaneWindow = 'queues' | 'lines';

/** The program behind the page. */
export interface Host {
  readonly window: OwnWindow;
  readonly desktop: Desktop;
  /** Opens the wallboard in its own window, or brings it to the front. */
  openBoard(): Promise<void>;
  /** Opens a part of the desk in its own window, or brings it to the front. */
  openPane(pane: PaneWindow): Promise<void>;
  /** The main window shows a role: its windows come up where they were left, those of another one go. */
  showRole(role: Role): Promise<void>;
  /** Sends a command. Rejects with a {@link HostError}. */
  control<C extends Command>(command: C): Promise<Answer<C['cmd']>>;
  /** Delivers updates in order until the returned function is called. */
  subscribe(listener: (update: Update) => void): Promise<() => void>;
}
