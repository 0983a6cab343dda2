// Measures the desk: node bench-desk.mjs BINARY [PART] [SECONDS] [CONTACTS] [CALLS]. One JSON line for each figure. PART is `start`
// (with `growth`) or `lines` (with `search`); both when left out.
//
// start     from the start to the window and to a reachable desk of forty colleagues, and the memory of all processes once nothing
//           happens any more. Before it, each alone in the same run: linphone, its desktop program where that is installed, else
//           its console; and an empty page in the same web engine, below which no window of it can come
// growth    what 500 calls leave behind, and how much of it came after the first of them
// lines     a thousand watched lines with 200 changes a second for a minute: processor time of all processes, and for each change of
//           a tile in sight how long it takes from the word at the exchange to the painted tile
// search    a key in the search field until its results are painted, with 100,000 contacts and those thousand lines
//
// The headless program stands beside BINARY; it is the exchange, a process of its own that is not counted.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { base64, company, FAMILY, GIVEN, inside, SPEECH } from './company.mjs';
import { control } from './hand.mjs';
import { watchKeys } from './painted.mjs';
import { freePort, miniBrowser, plainPainting, Processes, privateEnvironment, startBus, startDisplay, startDriver, withoutGl } from './processes.mjs';
import { Session, until } from './webdriver.mjs';

const binary = resolve(process.argv[2] ?? '');
const [part, ...numbers] = ['start', 'lines'].includes(process.argv[3]) ? process.argv.slice(3) : [undefined, ...process.argv.slice(3)];
const [seconds, contacts, calls] = [60, 100_000, 500].map((usual, place) => Number(numbers[place] ?? usual));
const cli = join(dirname(binary), 'balie-cli');
const LINES = 1_000;
const RATE = 200;
const COLLEAGUES = 40;
/** Calls after which whatever a call loads is loaded. */
const FIRST_CALLS = 20;
const FIELD = '[role="combobox"]';
const REGISTERED = '[data-account-state="registered"]';
/** What is typed, letter by letter, and emptied again. */
const TYPED = ['jansen', 'de wit', 'verkoop', '0301', 'van', 'postma', 'zo', 'bakker'];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const at = (sorted, share) => (sorted.length === 0 ? null : Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] * 10) / 10);
const tell = (of, figures) => console.log(JSON.stringify({ part: of, ...figures }));

/** A machine of its own; `work` is given what it needs. */
async function onMachine(work) {
  const processes = new Processes();
  const home = mkdtempSync(join(tmpdir(), 'balie-bench-'));
  const sessions = [];
  try {
    const env = privateEnvironment(home, await startDisplay(processes, '1920x1080x24'));
    // As the window chooses by itself.
    delete env.WEBKIT_DISABLE_COMPOSITING_MODE;
    delete env.WEBKIT_DISABLE_DMABUF_RENDERER;
    env.DBUS_SESSION_BUS_ADDRESS = await startBus(processes, env);
    processes.start('openbox', ['--sm-disable'], { env });
    const driver = await startDriver(processes, env);
    const open = async (more) => {
      const args = ['--audio', 'null', '--config-dir', join(home, 'settings'), ...more];
      const session = await Session.open(driver, { 'webkitgtk:browserOptions': { binary, args } });
      sessions.push(session);
      return session;
    };
    await work({ processes, home, env, open });
  } finally {
    for (const session of sessions) await session.close().catch(() => undefined);
    await processes.end();
    rmSync(home, { recursive: true, force: true });
  }
}

/** The program's processes in this home: the program itself and WebKit's. */
function own(home) {
  const found = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${home}`)) continue;
      const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
      if (/^(balie$|MiniBrowser$|WebKit(Net|Web|GPU))/.test(name) && !name.startsWith('WebKitWebDriv')) found.push({ pid, name });
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

/** Proportional memory of processes, MB, and each one's part. */
function memory(of) {
  const parts = {};
  let sum = 0;
  for (const { pid, name } of of) {
    const pss = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1024;
    sum += pss;
    parts[name] = Math.round((parts[name] ?? 0) + pss);
  }
  return { pss_mb: Math.round(sum * 10) / 10, parts };
}

/** Processor seconds of processes so far. */
function processor(of) {
  let ticks = 0;
  for (const { pid } of of) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / 100;
}

/** Waits until processes have nothing to do: less than a tenth of a core for three seconds. */
async function idle(find) {
  let quiet = 0;
  const end = performance.now() + 60_000;
  while (quiet < 3 && performance.now() < end) {
    const before = processor(find());
    await pause(1_000);
    quiet = processor(find()) - before < 0.1 ? quiet + 1 : 0;
  }
}

async function start() {
  // Each alone: what programs share counts for each in part only.
  await onMachine(beside);
  await onMachine(emptyPage);
  await onMachine(async ({ home, open, processes }) => {
    const { people } = await exchangeOf(COLLEAGUES, { home, processes });
    const began = performance.now();
    const session = await open([]);
    const window = performance.now() - began;
    await session.enterMain();
    await until('a reachable desk', 60_000, () => session.exists(REGISTERED));
    const ready = performance.now() - began;
    await inside(session, people);
    await until('tiles with lamps', 60_000, () => session.exists('[role="option"].free'));
    const find = () => own(home);
    await idle(find);
    tell('start', { window_ms: Math.round(window), ready_ms: Math.round(ready), ...memory(find()) });
    const before = memory(find());
    // The first calls load what no later one loads again.
    await talk(session, Math.min(FIRST_CALLS, calls));
    await idle(find);
    const first = memory(find());
    await talk(session, Math.max(0, calls - FIRST_CALLS));
    await idle(find);
    const after = memory(find());
    const grown = (from) => Math.round((after.pss_mb - from.pss_mb) * 10) / 10;
    tell('growth', { calls, before_mb: before.pss_mb, after_first_mb: first.pss_mb, after_mb: after.pss_mb, grown_mb: grown(before), grown_since_first_mb: grown(first), parts: [before.parts, first.parts, after.parts] });
  });
}

/** Calls one after the other, each answered and hung up. The page is looked at and not asked, so that it does no more than at a desk. */
async function talk(session, many) {
  const speaks = () => session.exists('[data-call-state="active"]');
  for (let place = 0; place < many; place += 1) {
    const { call } = await control(session, { cmd: 'call.dial', to: SPEECH });
    await until('an answer', 20_000, speaks);
    await control(session, { cmd: 'call.hangup', call });
    await until('the end', 20_000, async () => !(await speaks()));
  }
}

const inPath = (name) => process.env.PATH.split(delimiter).some((folder) => existsSync(join(folder, name)));

/** Linphone on the same machine: time to its window or its prompt, and its memory once it has nothing to do. */
async function beside({ processes, env, home }) {
  const desktop = inPath('linphone');
  const program = desktop ? 'linphone' : inPath('linphonec') ? 'linphonec' : undefined;
  if (program === undefined) return tell('linphone', { missing: true });
  const place = join(home, 'linphone');
  mkdirSync(join(place, '.local/share/linphone'), { recursive: true });
  const began = performance.now();
  const running = processes.start(program, [], {
    env: { ...env, HOME: place, XDG_CONFIG_HOME: join(place, '.config'), XDG_DATA_HOME: join(place, '.local/share'), XDG_CACHE_HOME: join(place, '.cache'), LIBGL_ALWAYS_SOFTWARE: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (desktop) {
    await until('the window of linphone', 60_000, async () => {
      if (running.child.exitCode !== null) throw new Error(running.output().slice(-500));
      const search = processes.start('xdotool', ['search', '--onlyvisible', '--pid', String(running.child.pid)], { env });
      return (await search.child.exited) === 0;
    });
  } else {
    await until('linphonec', 30_000, async () => running.output().includes('linphonec>'));
  }
  const ready = performance.now() - began;
  const find = () => [{ pid: running.child.pid, name: program }];
  await idle(find);
  tell('linphone', { program, [desktop ? 'window_ms' : 'ready_ms']: Math.round(ready), ...memory(find()) });
}

/** An empty page in the web engine that the window uses, with the options the window gives it, and the memory of all its processes. */
async function emptyPage({ processes, env, home }) {
  const browser = miniBrowser();
  if (browser === undefined) return tell('empty page', { missing: true });
  const plain = plainPainting();
  const without = plain.WEBKIT_DISABLE_COMPOSITING_MODE === undefined ? {} : withoutGl(binary, home);
  processes.start(browser, ['about:blank'], { env: { ...env, ...plain, ...without, JSC_useJIT: 'false' } });
  const find = () => own(home);
  await until('the empty page', 60_000, async () => find().some(({ name }) => name.startsWith('WebKitWebP')));
  await idle(find);
  tell('empty page', memory(find()));
}

/** An exchange, a process of its own, for a company of `count` people, and the settings of the account that watches them all. */
async function exchangeOf(count, { home, processes }) {
  const file = join(home, 'company.toml');
  const people = company(file, count);
  const port = await freePort();
  const exchange = processes.start(cli, ['pbx', '--json', '--listen', `127.0.0.1:${port}`, '--company', file]);
  const ready = await until('the exchange', 30_000, async () => {
    if (exchange.child.exitCode !== null) throw new Error(exchange.output());
    const line = /^\{"event":"ready".*\}$/m.exec(exchange.output())?.[0];
    return line === undefined ? undefined : JSON.parse(line);
  });
  mkdirSync(join(home, 'settings'), { recursive: true });
  writeFileSync(join(home, 'settings/settings.toml'), `[[account]]\nid = "main"\ndisplay_name = "Receptie"\naor = "sip:101@127.0.0.1"\nregistrar = "sip:127.0.0.1:${port};transport=tcp"\npassword = "bench"\n`);
  return { people, knobs: ready.control };
}

async function outside(session) {
  const most = 25_000;
  for (let from = 0; from < contacts; from += most) {
    const rows = Array.from({ length: Math.min(most, contacts - from) }, (_, row) => {
      const place = from + row;
      return `${GIVEN[place % GIVEN.length]} ${FAMILY[Math.floor(place / 7) % FAMILY.length]} ${place};03${String(10_000_000 + place)};Bedrijf ${place % 900}`;
    });
    await control(session, { cmd: 'contacts.import', name: `buiten-${from}.csv`, data: base64(`Naam;Telefoon;Bedrijf\n${rows.join('\n')}\n`), mapping: ['name', 'work', 'company'] });
  }
}

/** The exchange's control port: lines go out, answers are let by. */
async function knobs(port) {
  const socket = createConnection(port, '127.0.0.1');
  await new Promise((done, failed) => socket.once('connect', done).once('error', failed));
  socket.setNoDelay(true);
  let refused = 0;
  createInterface({ input: socket }).on('line', (line) => {
    if (line.includes('"error"')) refused += 1;
  });
  return { turn: (knob) => socket.write(`${JSON.stringify(knob)}\n`), refused: () => refused, end: () => socket.end() };
}

/** In the page: notes when the paint of a tile's new state was done, by the tile's extension: what is due next comes after the frame. */
const WATCH_TILES = `
  window.painted = [];
  const note = new Map();
  const changes = new MutationObserver((records) => {
    for (const { target } of records) {
      const tile = target.nodeType === 1 ? target.closest('[role="option"]') : target.parentElement?.closest('[role="option"]');
      const mark = tile?.querySelector('.mark')?.textContent;
      const tone = tile?.className;
      if (mark === undefined || note.get(mark) === tone) continue;
      note.set(mark, tone);
      requestAnimationFrame(() => setTimeout(() => window.painted.push([mark, tone, performance.timeOrigin + performance.now()])));
    }
  });
  for (const tile of document.querySelectorAll('[role="option"]')) note.set(tile.querySelector('.mark')?.textContent, tile.className);
  changes.observe(document.querySelector('[role="listbox"]'), { subtree: true, attributes: true, attributeFilter: ['class'] });
`;

async function lines() {
  await onMachine(async ({ home, open, processes }) => {
    const { people, knobs: port } = await exchangeOf(LINES, { home, processes });
    const session = await open([]);
    await session.enterMain();
    await until('a reachable desk', 60_000, () => session.exists(REGISTERED));
    await session.resizePage(1900, 1000);
    await inside(session, people);
    await until('a thousand lamps', 120_000, async () => (await control(session, { cmd: 'line.list' })).filter(({ state }) => state === 'idle').length >= LINES);
    await until('tiles with lamps', 60_000, () => session.exists('[role="option"].free'));
    const find = () => own(home);
    await idle(find);
    await changes(session, port, people, find);
    await outside(session);
    await idle(find);
    tell('memory', { contacts, lines: LINES, ...memory(find()) });
    await keys(session);
  });
}

async function changes(session, port, people, find) {
  await session.run(WATCH_TILES);
  const inSight = await session.run(`return document.querySelectorAll('[role="option"]').length`);
  const exchange = await knobs(port);
  /** What was asked of a line last, and when. */
  const asked = new Map();
  const before = processor(find());
  const began = performance.now();
  let made = 0;
  while (performance.now() - began < seconds * 1_000) {
    const due = Math.floor(((performance.now() - began) / 1_000) * RATE);
    for (; made < due; made += 1) {
      // In an order that has nothing to do with the places of tiles.
      const line = people[(made * 379) % people.length].extension;
      const busy = asked.get(line)?.at(-1)?.busy !== true;
      asked.set(line, [...(asked.get(line) ?? []), { busy, at: performance.timeOrigin + performance.now() }]);
      exchange.turn({ cmd: 'line.set', line, state: busy ? 'busy' : 'idle' });
    }
    await pause(5);
  }
  const wall = (performance.now() - began) / 1_000;
  const used = processor(find()) - before;
  await pause(2_000);
  const painted = await session.run('return window.painted');
  const times = [];
  for (const [mark, tone, when] of painted) {
    const busy = !/\bfree\b/.test(tone);
    // The last word of that kind before the paint.
    const cause = asked.get(mark)?.findLast((one) => one.busy === busy && one.at <= when);
    if (cause !== undefined) times.push(when - cause.at);
  }
  times.sort((a, b) => a - b);
  exchange.end();
  // At the end every line that is in sight shows what the exchange said of it last.
  const wrong = await session.run(`
    const [last] = arguments;
    return [...document.querySelectorAll('[role="option"]')].filter((tile) => {
      const busy = last[tile.querySelector('.mark')?.textContent];
      return busy !== undefined && busy === tile.classList.contains('free');
    }).length;
  `, Object.fromEntries([...asked].map(([line, all]) => [line, all.at(-1).busy])));
  tell('lines', {
    lines: LINES, in_sight: inSight, changes: made, refused: exchange.refused(), a_second: Math.round(made / wall), seconds: Math.round(wall),
    cpu_percent_of_a_core: Math.round((used / wall) * 1_000) / 10, painted: times.length, wrong_at_the_end: wrong,
    p50_ms: at(times, 0.5), p99_ms: at(times, 0.99), max_ms: at(times, 1),
  });
}

async function keys(session) {
  await session.run(watchKeys(FIELD));
  for (const word of TYPED) {
    await session.run(`document.querySelector('${FIELD}').focus()`);
    for (const letter of word) {
      const before = await session.run('return window.strokes.length');
      await session.press(letter);
      await until(`the results of "${letter}"`, 10_000, async () => (await session.run('return window.strokes.length')) > before);
    }
    await session.press('\uE00C');
    await until('an empty field', 5_000, async () => (await session.run(`return document.querySelector('${FIELD}').value`)) === '');
  }
  const all = await session.run('return window.strokes');
  // The first letter of a word takes everybody away; the others write results anew.
  const firsts = TYPED.map((_, place) => all[TYPED.slice(0, place).join('').length]);
  const strokes = all.toSorted((a, b) => a - b);
  tell('search', { contacts, keys: strokes.length, p50_ms: at(strokes, 0.5), p95_ms: at(strokes, 0.95), max_ms: at(strokes, 1), first_letter_p50_ms: at(firsts.toSorted((a, b) => a - b), 0.5) });
}

if (part !== 'lines') await start();
if (part !== 'start') await lines();
