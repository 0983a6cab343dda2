// Chooses the host: the program when the page runs in its window, a scripted one in a plain browser during development.

import { inWindow, WindowHost } from './tauri';
import { type Host, HostError } from './types';

/** The host for where the page runs. */
export async function openHost(): Promise<Host> {
  if (inWindow()) return new WindowHost();
  if (import.meta.env.DEV) {
    const { MockHost, scene } = await import('./mock');
    return new MockHost(scene(location.search));
  }
  throw new HostError('not_supported', 'the page runs outside the program');
}
