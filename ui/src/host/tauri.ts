// The host inside the program's own window. The only file that knows the runtime.

import { Channel, invoke, isTauri } from '@tauri-apps/api/core';
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
    const updates = new Channel<Update>();
    let open = true;
    updates.onmessage = (update) => {
      if (open) listener(update);
    };
    await told('subscribe', { updates });
    return () => {
      open = false;
    };
  }
}
