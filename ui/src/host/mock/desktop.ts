// The desktop around the scripted program: keys can be had, but for one that another program has.

import type { DesktopState, Hotkeys } from '../../bindings';
import type { Desktop } from '../types';

/** The key that another program has. */
export const TAKEN = 'Ctrl+Alt+T';

export class MockDesktop implements Desktop {
  private atLogin = false;
  private keys: string[] = [];

  /** `keep`: keeps the keys in the settings. */
  constructor(private readonly keep: (hotkeys: Hotkeys) => void) {}

  state(): Promise<DesktopState> {
    return Promise.resolve({ start_at_login: this.atLogin, hotkeys: true, taken: this.keys.filter((key) => key === TAKEN) });
  }

  startAtLogin(on: boolean): Promise<void> {
    this.atLogin = on;
    return Promise.resolve();
  }

  setHotkeys(hotkeys: Hotkeys): Promise<void> {
    this.keys = Object.values(hotkeys);
    this.keep(hotkeys);
    return Promise.resolve();
  }
}
