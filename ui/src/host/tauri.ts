// The host inside the program's own window. The only file that knows the runtime.

import { Channel, invoke, isTauri } from '@tauri-apps/api/core';
import { getCurrentWindow } from '@tauri-apps/api/window';
import type { Command, ErrorReply, Update } from '../bindings';
import { type Answer, type Host, HostError, type OwnWindow } from './types';

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

export class WindowHost implements Host {
  readonly window = own;

  async openBoard(): Promise<void> {
    try {
      await invoke('open_wallboard');
    } catch (error) {
      throw toHostError(error);
    }
  }

  async control<C extends Command>(command: C): Promise<Answer<C['cmd']>> {
    try {
      return await invoke<Answer<C['cmd']>>('control', { request: command });
    } catch (error) {
      throw toHostError(error);
    }
  }

  async subscribe(listener: (update: Update) => void): Promise<() => void> {
    const updates = new Channel<Update>();
    let open = true;
    updates.onmessage = (update) => {
      if (open) listener(update);
    };
    try {
      await invoke('subscribe', { updates });
    } catch (error) {
      throw toHostError(error);
    }
    return () => {
      open = false;
    };
  }
}
