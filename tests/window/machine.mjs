// A machine of its own for one test: display, bus, driver, home, and the program started in it.

import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Processes, privateEnvironment, startBus, startDisplay, startDriver } from './processes.mjs';
import { listen, saysOnce, tells } from './told.mjs';
import { Session } from './webdriver.mjs';
import { WORDS } from './words.mjs';

const axe = readFileSync(fileURLToPath(new URL('../../ui/node_modules/axe-core/axe.min.js', import.meta.url)), 'utf8');

/** The lines that the present test has to say; those of another that runs beside it are kept apart. */
export const said = new AsyncLocalStorage();

/** Says a line of the present test. */
export const say = (line) => {
  const lines = said.getStore();
  if (lines === undefined) console.log(line);
  else lines.push(line);
};

/**
 * Runs one test on a machine of its own, and ends all of it.
 *
 * A test has a name, `steps`, and may have: `args` of the program, `sound` (its --audio; silent by default), `env`, `display` (its size and
 * depth, as Xvfb has it), and
 * `prepare(place)`, which is called before the program starts with { home, processes, cli } and may give back
 * { settings, kept }: the text of the settings file, and what the steps find as `machine.kept`. `before({ start })` is
 * called just before the program starts; `start(args)` runs it to its end.
 */
export async function withMachine({ binary, cli, shots }, test) {
  const processes = new Processes();
  const home = mkdtempSync(join(tmpdir(), 'balie-window-'));
  let session;
  try {
    const display = await startDisplay(processes, test.display);
    const env = { ...privateEnvironment(home, display), ...test.env };
    env.DBUS_SESSION_BUS_ADDRESS = await startBus(processes, env);
    processes.start('openbox', ['--sm-disable'], { env });
    const driver = await startDriver(processes, env);
    const settings = join(home, 'settings');
    const prepared = (await test.prepare?.({ home, processes, cli })) ?? {};
    if (prepared.settings !== undefined) {
      mkdirSync(settings, { recursive: true });
      writeFileSync(join(settings, 'settings.toml'), prepared.settings);
    }
    const args = ['--config-dir', settings, '--audio', test.sound ?? 'null', ...(test.args ?? [])];
    await test.before?.({ start: (words) => runToEnd(processes, binary, words, env) });
    const began = performance.now();
    session = await Session.open(driver, { 'webkitgtk:browserOptions': { binary, args } });
    say(`   window after ${Math.round(performance.now() - began)} ms`);
    await test.steps(new Machine({ session, shots, settings, kept: prepared.kept, env, processes, binary }));
  } catch (error) {
    if (session !== undefined) await tellFailure(session);
    if (session !== undefined && shots !== undefined) await keepFailure(session, join(shots, `failed-${test.name}.png`));
    throw error;
  } finally {
    await session?.close().catch(() => undefined);
    await processes.end();
    rmSync(home, { recursive: true, force: true });
  }
}

/** Runs a program to its end; what it was and what it said. */
async function runToEnd(processes, program, args, env) {
  const run = processes.start(program, args, { env });
  const code = await Promise.race([
    run.child.exited,
    new Promise((_, reject) => setTimeout(() => reject(new Error(`${program} ${args.join(' ')} did not end: ${run.output()}`)), 20_000)),
  ]);
  return { code, said: run.output() };
}

/** Says what stood on the page when a test failed: where nobody can look at a picture, that is all there is. */
async function tellFailure(session) {
  const page = await session
    .run(
      `const now = document.activeElement;
      return {
        focus: now === null ? null : now.outerHTML.slice(0, 160),
        search: document.querySelector('[role="combobox"]')?.value,
        text: document.body.innerText.replace(/\\s*\\n\\s*/g, ' | ').slice(0, 1500),
      };`,
    )
    .catch((error) => ({ gone: String(error) }));
  say(`   the page ${JSON.stringify(page)}`);
}

async function keepFailure(session, path) {
  await session.picture().then(
    (picture) => writeFileSync(path, picture),
    () => undefined,
  );
}

/** What the steps of a test work with. */
class Machine {
  #shots;
  #run;

  constructor({ session, shots, settings, kept, env, processes, binary }) {
    this.session = session;
    this.settings = settings;
    this.kept = kept;
    this.#shots = shots;
    this.#run = { env, processes, binary };
  }

  /** Starts the program a second time with these words, which the first one obeys. */
  async again(words) {
    const { env, processes, binary } = this.#run;
    const { code, said } = await runToEnd(processes, binary, words, env);
    if (code !== 0) throw new Error(`balie ${words.join(' ')}: ${code} ${said}`);
  }

  /** The same, whatever comes of it: the code it ended with and what it said. */
  outcome(words) {
    const { env, processes, binary } = this.#run;
    return runToEnd(processes, binary, words, env);
  }

  /** Starts a program that stands beside the tested one, on this machine's bus and display, with a pipe to it. */
  beside(name) {
    const { env, processes, binary } = this.#run;
    return processes.start(join(dirname(binary), name), [], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** Files that a process of the program has in memory, by the name the system has of it: its libraries, and those they have loaded. */
  libraries(process) {
    const mine = (pid) => readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${this.#run.env.HOME}\0`) && readFileSync(`/proc/${pid}/comm`, 'utf8') === `${process}\n`;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        if (mine(pid)) return [...new Set(readFileSync(`/proc/${pid}/maps`, 'utf8').match(/\/\S+$/gm))];
      } catch {
        // It ended meanwhile.
      }
    }
    throw new Error(`${process} does not run`);
  }

  /** Numbers of the program's windows that the display shows now; one that is there and not shown is none of them. */
  async shown() {
    const { env, processes } = this.#run;
    const { said } = await runToEnd(processes, 'xdotool', ['search', '--onlyvisible', '--class', 'balie'], { ...env, PATH: process.env.PATH });
    return said.split('\n').filter((line) => /^\d+$/.test(line));
  }

  /** Presses a key of the whole display, whoever has the focus. */
  async key(chord) {
    const { env, processes } = this.#run;
    await runToEnd(processes, 'xdotool', ['key', chord], { ...env, PATH: process.env.PATH });
  }

  /** Says what was shown to hold. */
  passed(what) {
    say(`   ok  ${what}`);
  }

  /** Does `steps` by keys alone; fails when it took more of them than `most`, or none. */
  async counted(what, most, steps) {
    const keys = await this.session.counting(steps);
    if (keys > most) throw new Error(`${what}: ${keys} keys, and ${most} is the most`);
    if (keys === 0) throw new Error(`${what}: no key was pressed`);
    this.passed(`${what}: ${keys} ${keys === 1 ? 'key' : 'keys'} of at most ${most}`);
  }

  /** Fails unless a screen reader is told what is seen there and nothing else; see `tells`. */
  async tells(selector, wanted) {
    const count = await tells(this.session, selector, wanted);
    this.passed(`${selector}: ${count} pieces told as they are seen`);
  }

  /** From now on what the page says by itself is kept for `saysOnce`. */
  listen() {
    return listen(this.session);
  }

  /** Fails unless a live region said it once, at once (`alert`) or when there is time (`status`), and nothing was said twice. */
  async saysOnce(how, sentence) {
    await saysOnce(this.session, how, sentence);
    this.passed(`said once: ${sentence}`);
  }

  async shot(name) {
    if (this.#shots === undefined) return;
    await this.session.painted();
    writeFileSync(join(this.#shots, `${name}.png`), await this.session.picture());
  }

  /** Waits until all sentences stand in what the selector finds, readable: on screen, uncovered, not cut off. */
  async says(selector, sentences, deadlineMs = 5_000) {
    const missing = await this.#waitFor(deadlineMs, () => this.session.run(READABLE, selector, sentences));
    if (missing !== null) throw new Error(`${selector}: ${missing}`);
  }

  async #waitFor(deadlineMs, ask) {
    const end = performance.now() + deadlineMs;
    for (;;) {
      const missing = await ask();
      if (missing === null || performance.now() > end) return missing;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Chooses a language as a user does; gives back its words. */
  async speak(language) {
    await this.session.run(`document.querySelector('input[type="radio"][value="' + arguments[0] + '"]').click()`, language);
    await this.#waitFor(5_000, async () =>
      (await this.session.run('return document.documentElement.lang')) === language ? null : 'another language');
    return WORDS[language];
  }

  /** Fails when axe-core finds a serious or critical violation on the page. */
  async accessible(view) {
    const found = await this.violations();
    if (found.length > 0) throw new Error(`not accessible, ${view}:\n  ${found.join('\n  ')}`);
    this.passed(`axe-core: nothing serious, ${view}`);
  }

  /** What axe-core finds on the page that is serious or critical, in words. */
  async violations() {
    // The page's content policy forbids evaluated text; the driver may bring a script of its own.
    if (!(await this.session.run('return window.axe !== undefined'))) await this.session.run(axe);
    return this.session.runAsync(
      `const [done] = arguments;
       axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } }).then(
         ({ violations }) => done(violations
           .filter(({ impact }) => impact === 'serious' || impact === 'critical')
           .map(({ id, help, nodes }) => id + ': ' + help + ' at ' + nodes.map(({ target, any }) =>
             target.join(' ') + ' ' + (any[0]?.message ?? '')).join(' | '))),
         (error) => done(['axe failed: ' + error]));`,
    );
  }
}

/** In the page: null when every sentence can be read there, else what is wrong. */
const READABLE = `
  const [selector, sentences] = arguments;
  const plain = (text) => text.replaceAll(/\\s+/g, ' ').trim();
  const place = document.querySelector(selector);
  if (place === null) return 'is not there';
  const text = plain(place.innerText);
  const missing = sentences.find((sentence) => !text.includes(plain(sentence)));
  if (missing !== undefined) return 'does not say "' + missing + '" but "' + text + '"';
  const box = place.getBoundingClientRect();
  const whole = box.top >= 0 && box.left >= 0 && box.right <= innerWidth + 1 && box.bottom <= innerHeight + 1;
  if (!whole) return 'is not wholly on screen';
  for (const part of [place, ...place.querySelectorAll('*')]) {
    if (part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 0 && getComputedStyle(part).overflowX !== 'visible'
      && !part.classList.contains('hidden')) return 'is cut off at "' + plain(part.innerText) + '"';
  }
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return top !== null && (place.contains(top) || top.contains(place)) ? null : 'is covered by ' + top?.outerHTML.slice(0, 80);
`;
