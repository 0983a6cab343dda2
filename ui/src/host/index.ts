// Chooses the host: the program when the page runs in its window, a scripted one in a plain browser during development
// and in a build that is made to be measured (vite's mode "scripted").

import { inWindow, WindowHost } from './tauri';
import { type Host, HostError } from './types';

/** The host for where the page runs. */
export async function openHost(): Promise<Host> {
  if (inWindow()) return new WindowHost();
  if (import.meta.env.DEV || import.meta.env.MODE === 'scripted') {
    const { MockHost, scene } = await import('./mock');
    return new MockHost(scene(location.search));
  }
  throw new HostError('not_supported', 'the page runs outside the program');
}
