// The host inside the program's own window. The only file that knows the runtime.

import { invoke, isTauri } from '@tauri-apps/api/core';
import { getCurrentWindow } from '@tauri-apps/api/window';
import type { Command, DesktopState, ErrorReply, Update } from '../bindings';
import type { Role } from '../shared/layout.svelte';
import { type Answer, type Desktop, type Host, HostError, type OwnWindow, type PaneWindow } from './types';

/** True when the page runs in the program's window and not in a browser. */
export const inWindow = isTauri;

function toHostError(error: unknown): HostError {
  const reply = error as Partial<ErrorReply> | string | null;
  if (reply !== null && typeof reply === 'object' && reply.code !== undefined) {
    return new HostError(reply.code, reply.message ?? '');
  }
  return new HostError('internal', String(error));
}

const own: OwnWindow = {
  fillsScreen: () => getCurrentWindow().isFullscreen(),
  fillScreen: (on) => getCurrentWindow().setFullscreen(on),
  close: () => getCurrentWindow().close(),
};

async function told<Answered>(command: string, words?: Record<string, unknown>): Promise<Answered> {
  try {
    return await invoke<Answered>(command, words);
  } catch (error) {
    throw toHostError(error);
  }
}

const desktop: Desktop = {
  state: () => told<DesktopState>('desktop'),
  startAtLogin: (on) => told('start_at_login', { on }),
  setHotkeys: (hotkeys) => told('set_hotkeys', { hotkeys }),
};

/** How long after a failed question the next one is asked. */
const PAUSE_MS = 1_000;

/** Asks for the program's news, one question after the other, until nobody listens or another page stands in this one's place. */
async function follow(number: number, listener: (update: Update) => boolean): Promise<void> {
  for (let listened = true; listened; ) {
    let news: Update[] | null;
    try {
      news = await told<Update[] | null>('news', { number });
    } catch (error) {
      // The program answers as long as it runs.
      reportError(error);
      await new Promise((done) => setTimeout(done, PAUSE_MS));
      continue;
    }
    if (news === null) return;
    for (const update of news) {
      try {
        listened = listener(update);
      } catch (error) {
        // What cannot be shown is no reason to hear of nothing any more.
        reportError(error);
      }
    }
  }
}

export class WindowHost implements Host {
  readonly window = own;
  readonly desktop = desktop;

  openBoard(): Promise<void> {
    return told('open_wallboard');
  }

  openPane(pane: PaneWindow): Promise<void> {
    return told('open_pane', { pane });
  }

  showRole(role: Role): Promise<void> {
    return told('show_role', { role });
  }

  control<C extends Command>(command: C): Promise<Answer<C['cmd']>> {
    return told('control', { request: command });
  }

  async subscribe(listener: (update: Update) => void): Promise<() => void> {
    const number = await told<number>('subscribe');
    let open = true;
    void follow(number, (update) => {
      if (open) listener(update);
      return open;
    });
    return () => {
      open = false;
    };
  }
}
