// The desktop around the scripted program: keys can be had, but for one that another program has.

import type { DesktopState, Hotkeys } from '../../bindings';
import type { Desktop } from '../types';

/** The key that another program has. */
export const TAKEN = 'Ctrl+Alt+T';

export class MockDesktop implements Desktop {
  private atLogin = false;
  private keys: string[] = [];
  /** How the desktop stands otherwise, for tests. */
  readonly stands: Partial<DesktopState> = {};

  /** `keep`: keeps the keys in the settings. */
  constructor(private readonly keep: (hotkeys: Hotkeys) => void) {}

  state(): Promise<DesktopState> {
    const taken = this.keys.filter((key) => key === TAKEN);
    return Promise.resolve({ start_at_login: this.atLogin, hotkeys: true, taken, asks: false, given: [], notices: true, notices_of_calls: false, ...this.stands });
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
