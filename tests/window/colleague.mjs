// A colleague's telephone on the embedded exchange: the headless program, which rings, and answers when it is told to.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from './webdriver.mjs';

export class Colleague {
  #running;
  #registered = false;
  #calls = new Map();
  /** Whether it answers what rings. */
  answers = false;

  /** `account`: as the exchange told it when it was ready. `folder`: for its settings. */
  constructor(cli, processes, folder, account) {
    const settings = join(folder, `telephone-${account.extension}.toml`);
    const registrar = account.aor.replace(/^sip:.*@/, 'sip:');
    writeFileSync(settings, `[[account]]\nid = "main"\naor = "${account.aor}"\nregistrar = "${registrar};transport=tcp"\npassword = "${account.password}"\n`);
    this.#running = processes.start(cli, ['run', '--config', settings, '--audio', 'null'], { stdio: ['pipe', 'pipe', 'pipe'] });
    createInterface({ input: this.#running.child.stdout }).on('line', (line) => this.#hear(JSON.parse(line)));
  }

  #hear({ event, call, state }) {
    if (event === 'account.state') this.#registered = state === 'registered';
    if (event !== 'call.state') return;
    if (state === 'ended') this.#calls.delete(call);
    else this.#calls.set(call, state);
    if (state === 'ringing' && this.answers) this.say({ cmd: 'call.answer', call });
  }

  /** Gives it a command. */
  say(command) {
    this.#running.child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  /** The states of its calls. */
  get states() {
    return [...this.#calls.values()];
  }

  /** Until it can be called. */
  async reachable() {
    await until('the telephone of a colleague', 15_000, async () => {
      if (this.#running.child.exitCode !== null) throw new Error(this.#running.output());
      return this.#registered;
    });
  }

  /** Signs it out and ends it. */
  async end() {
    this.say({ cmd: 'quit' });
    await until('the end of a telephone', 10_000, async () => this.#running.child.exitCode !== null);
  }

  /** Ends all of its calls. */
  async hangUp() {
    for (const call of this.#calls.keys()) this.say({ cmd: 'call.hangup', call });
    await until('the telephone of a colleague on its hook', 10_000, async () => this.#calls.size === 0);
  }
}
