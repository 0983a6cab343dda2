// Drives the real window as a receptionist does: node run.mjs BINARY
//
// Starts a private display, session bus and WebKit's driver, and the program on its embedded exchange with silent sound
// and a home of its own. Ends them all by their own ids. BALIE_SHOTS=DIR keeps pictures of every view.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { desk } from './desk.mjs';
import { Processes, privateEnvironment, startBus, startDisplay, startDriver } from './processes.mjs';
import { setup } from './setup.mjs';
import { Session } from './webdriver.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const binary = process.argv[2] === undefined ? undefined : resolve(process.argv[2]);
if (binary === undefined || !existsSync(binary)) {
  console.error('usage: node run.mjs BINARY');
  process.exit(2);
}

const axe = readFileSync(join(here, '../../ui/node_modules/axe-core/axe.min.js'), 'utf8');
const shots = process.env.BALIE_SHOTS;
if (shots !== undefined) mkdirSync(shots, { recursive: true });

/** One test: a name, the arguments of the program, and what to do. */
const TESTS = [
  { name: 'set-up', args: [], steps: setup },
  { name: 'desk', args: ['--demo'], steps: desk },
];

/** Runs one test with a machine of its own: display, bus, home. */
async function run({ name, args, steps }) {
  const processes = new Processes();
  const home = mkdtempSync(join(tmpdir(), 'balie-window-'));
  let session;
  try {
    const display = await startDisplay(processes);
    const env = privateEnvironment(home, display);
    env.DBUS_SESSION_BUS_ADDRESS = await startBus(processes, env);
    processes.start('openbox', ['--sm-disable'], { env });
    const driver = await startDriver(processes, env);
    const began = performance.now();
    session = await Session.open(driver, {
      'webkitgtk:browserOptions': { binary, args: ['--config-dir', join(home, 'settings'), '--audio', 'null', ...args] },
    });
    console.log(`   window after ${Math.round(performance.now() - began)} ms`);
    await steps(new Machine(session, name, env));
  } catch (error) {
    if (session !== undefined && shots !== undefined) await keepFailure(session, name);
    throw error;
  } finally {
    await session?.close().catch(() => undefined);
    await processes.end();
    rmSync(home, { recursive: true, force: true });
  }
}

async function keepFailure(session, name) {
  await session.picture().then(
    (picture) => writeFileSync(join(shots, `failed-${name}.png`), picture),
    () => undefined,
  );
}

/** What the steps of a test work with. */
class Machine {
  constructor(session, name, env) {
    this.session = session;
    this.name = name;
    this.env = env;
  }

  /** Says what was shown to hold. */
  passed(what) {
    console.log(`   ok  ${what}`);
  }

  async shot(name) {
    if (shots !== undefined) writeFileSync(join(shots, `${name}.png`), await this.session.picture());
  }

  /** Fails when axe-core finds a serious or critical violation on the page. */
  async accessible(view) {
    // The page's content policy forbids evaluated text; the driver may bring a script of its own.
    if (!(await this.session.run('return window.axe !== undefined'))) await this.session.run(axe);
    const found = await this.session.runAsync(
      `const [done] = arguments;
       axe.run(document, { resultTypes: ['violations'] }).then(
         ({ violations }) => done(violations
           .filter(({ impact }) => impact === 'serious' || impact === 'critical')
           .map(({ id, help, nodes }) => id + ': ' + help + ' at ' + nodes.map(({ target, any }) =>
             target.join(' ') + ' ' + (any[0]?.message ?? '')).join(' | '))),
         (error) => done(['axe failed: ' + error]));`,
    );
    if (found.length > 0) throw new Error(`not accessible, ${view}:\n  ${found.join('\n  ')}`);
    this.passed(`axe-core: nothing serious, ${view}`);
  }
}

let failed = 0;
for (const test of TESTS) {
  console.log(`window: ${test.name}`);
  try {
    await run(test);
  } catch (error) {
    failed += 1;
    console.error(`   FAILED  ${error.stack ?? error}`);
  }
}
process.exit(failed === 0 ? 0 : 1);
