// The embedded exchange as a process of its own, so that it can die while the window lives.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Colleague } from './colleague.mjs';
import { freePort } from './processes.mjs';
import { until } from './webdriver.mjs';

const COMPANY = fileURLToPath(new URL('../../assets/company/demo.toml', import.meta.url));

/**
 * An exchange on one port of loopback, for UDP and TCP. It can be killed and started again as the same one. `change`
 * is given the text of the company's file and gives back the one it shall have.
 */
export class Exchange {
  static USER = '101';
  static PASSWORD = 'the-right-one';

  #cli;
  #processes;
  #company;
  #running;
  #folder;
  #ready;

  constructor(cli, processes, folder, change = (text) => text) {
    this.#cli = cli;
    this.#processes = processes;
    this.#folder = folder;
    this.#company = join(folder, 'company.toml');
    const account = `extension = "${Exchange.USER}"\n`;
    const text = readFileSync(COMPANY, 'utf8');
    writeFileSync(this.#company, change(text.replace(account, `${account}password = "${Exchange.PASSWORD}"\n`)));
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
    this.#ready = ready;
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

  /** One line to its control port; what it answers. */
  async ask(command) {
    const socket = createConnection(this.#ready.control, '127.0.0.1');
    try {
      await once(socket, 'connect');
      socket.write(`${JSON.stringify(command)}\n`);
      const [line] = await once(createInterface({ input: socket }), 'line', { signal: AbortSignal.timeout(10_000) });
      const { ok, error } = JSON.parse(line);
      if (error !== undefined) throw new Error(`${command.cmd}: ${error.message}`);
      return ok;
    } finally {
      socket.destroy();
    }
  }

  /** Lets somebody outside call; gives back the number of his call in the exchange's books. */
  async customer(call) {
    return (await this.ask({ cmd: 'customer.call', to: Exchange.USER, patience_s: 120, talk_s: 300, ...call })).call;
  }

  /** The calls of somebody outside with this number, or inside with this extension, as they stand in the exchange's books. */
  async callsOf(number) {
    const { calls } = await this.ask({ cmd: 'call.list' });
    return calls.filter(({ caller, called }) => [caller, called].some((side) => side.number === number));
  }

  /** The telephone of a colleague, reachable. */
  async colleague(extension) {
    const colleague = new Colleague(this.#cli, this.#processes, this.#folder, this.#of(extension));
    await colleague.reachable();
    return colleague;
  }

  #of(extension) {
    const account = this.#ready.accounts.find((one) => one.extension === extension);
    assert.ok(account, `the exchange has ${extension}`);
    return account;
  }

  /** The settings of an account on it that sees the company too: colleagues, lamps, queues. */
  watching() {
    const { xsi_user: user, xsi_password: password } = this.#of(Exchange.USER);
    const { xsi } = this.#ready;
    return `${this.account('tcp', Exchange.PASSWORD)}[account.xsi]\nactions_url = "${xsi}"\nevents_url = "${xsi}"\nuser = "${user}"\npassword = "${password}"\n`;
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
