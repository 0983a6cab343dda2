// The embedded exchange as a process of its own, so that it can die while the window lives.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './processes.mjs';
import { until } from './webdriver.mjs';

const COMPANY = fileURLToPath(new URL('../../assets/company/demo.toml', import.meta.url));

/** An exchange on one port of loopback, for UDP and TCP. It can be killed and started again as the same one. */
export class Exchange {
  static USER = '101';
  static PASSWORD = 'the-right-one';

  #cli;
  #processes;
  #company;
  #running;

  constructor(cli, processes, folder) {
    this.#cli = cli;
    this.#processes = processes;
    this.#company = join(folder, 'company.toml');
    const account = `extension = "${Exchange.USER}"\n`;
    const text = readFileSync(COMPANY, 'utf8');
    writeFileSync(this.#company, text.replace(account, `${account}password = "${Exchange.PASSWORD}"\n`));
  }

  async start() {
    this.port ??= await freePort();
    const args = ['pbx', '--json', '--listen', `127.0.0.1:${this.port}`, '--company', this.#company];
    const running = this.#processes.start(this.#cli, args);
    const ready = await until('the exchange', 15_000, async () => {
      if (running.child.exitCode !== null) throw new Error(running.output());
      const line = /^\{"event":"ready".*\}$/m.exec(running.output())?.[0];
      return line === undefined ? undefined : JSON.parse(line);
    });
    this.#running = running;
    this.numbers = ready.numbers;
  }

  /** Ends it at once: its machine says that nobody is there any more. */
  async kill() {
    this.#running.child.kill('SIGKILL');
    await this.#running.child.exited;
  }

  /** Lets it take everything and say nothing, as a machine does whose line is cut. */
  silence() {
    this.#running.child.kill('SIGSTOP');
  }

  /** The settings of an account on it. */
  account(transport, password) {
    return `[[account]]
id = "main"
display_name = "Receptie"
aor = "sip:${Exchange.USER}@127.0.0.1"
registrar = "sip:127.0.0.1:${this.port};transport=${transport}"
password = "${password}"
`;
  }
}
