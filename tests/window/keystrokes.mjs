// Measures a key press in the search field, from the key to the painted results: node keystrokes.mjs [BINARY] [LINES]
//
// With BINARY: the real window on its demo. Without: the page on the scripted program with LINES lamps (2,000), some of
// which change all the time, in the window's engine (WebKit's small browser). One JSON line, milliseconds.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, miniBrowser, plainPainting, Processes, privateEnvironment, startBus, startDisplay, startDriver } from './processes.mjs';
import { watchKeys } from './painted.mjs';
import { Session, until } from './webdriver.mjs';

const UI = fileURLToPath(new URL('../../ui/', import.meta.url));
const FIELD = '[role="combobox"]';
/** What is typed, letter by letter, and emptied again. */
const WORDS = ['jansen', 'de wit', 'verkoop', 'esra', '10', 'van', 'postma', 'zo'];

const [first, second] = process.argv.slice(2);
const binary = first !== undefined && /\D/.test(first) ? resolve(first) : undefined;
const lines = Number(binary === undefined ? (first ?? 2000) : (second ?? 0));

const processes = new Processes();
const home = mkdtempSync(join(tmpdir(), 'balie-keystrokes-'));
let session;
try {
  const env = privateEnvironment(home, await startDisplay(processes));
  // As the window itself chooses; the browser beside it does not.
  Object.assign(env, plainPainting());
  env.DBUS_SESSION_BUS_ADDRESS = await startBus(processes, env);
  processes.start('openbox', ['--sm-disable'], { env });
  const driver = await startDriver(processes, env);
  session = binary === undefined ? await openBrowser(driver) : await openWindow(driver);
  await until('people in the list', 60_000, () => session.exists('[role="option"]'));
  await session.run(watchKeys(FIELD));
  for (const word of WORDS) {
    await session.run(`document.querySelector('${FIELD}').focus()`);
    for (const letter of word) await stroke(letter);
    await session.press('\uE00C');
    await until('an empty field', 5_000, async () => (await session.run(`return document.querySelector('${FIELD}').value`)) === '');
  }
  const strokes = (await session.run('return window.strokes')).sort((a, b) => a - b);
  const at = (share) => Math.round(strokes[Math.min(strokes.length - 1, Math.floor(strokes.length * share))] * 10) / 10;
  const size = await session.run('return [innerWidth, innerHeight, document.querySelectorAll(\'[role="option"]\').length]');
  console.log(JSON.stringify({ where: binary === undefined ? 'page' : 'window', lines, keys: strokes.length, p50_ms: at(0.5), p95_ms: at(0.95), max_ms: at(1), page: size.slice(0, 2), tiles: size[2] }));
} finally {
  await session?.close().catch(() => undefined);
  await processes.end();
  rmSync(home, { recursive: true, force: true });
}

async function stroke(letter) {
  const before = await session.run('return window.strokes.length');
  await session.press(letter);
  await until(`the results of "${letter}"`, 10_000, async () => (await session.run('return window.strokes.length')) > before);
}

async function openWindow(driver) {
  const args = ['--demo', '--audio', 'null', '--config-dir', join(home, 'settings')];
  const window = await Session.open(driver, { 'webkitgtk:browserOptions': { binary, args } });
  await window.enterMain();
  await until('a reachable desk', 60_000, () => window.exists('[data-account-state="registered"]'));
  return window;
}

async function openBrowser(driver) {
  const browser = miniBrowser();
  if (browser === undefined) throw new Error('WebKit’s small browser is not installed');
  const port = await freePort();
  const vite = join(UI, 'node_modules/.bin/vite');
  const built = join(home, 'page');
  // Built as the program's own page is, so that what is measured is what is shipped.
  const build = processes.start(vite, ['build', '--mode', 'scripted', '--outDir', built, '--logLevel', 'error'], { cwd: UI });
  if ((await build.child.exited) !== 0) throw new Error(build.output());
  const server = processes.start(vite, ['preview', '--port', String(port), '--strictPort', '--host', '127.0.0.1', '--outDir', built], { cwd: UI });
  const page = `http://127.0.0.1:${port}/?people=${lines}&language=nl&theme=light`;
  await until('the page', 60_000, async () => {
    if (server.child.exitCode !== null) throw new Error(server.output());
    return (await fetch(page)).ok;
  });
  const window = await Session.open(driver, { 'webkitgtk:browserOptions': { binary: browser, args: ['--automation'] } });
  await window.go(page);
  await until('the desk', 60_000, () => window.exists('[data-account-state="registered"]'));
  return window;
}
