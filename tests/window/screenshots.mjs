// Takes the pictures of the README, and of every view in both languages, light and dark: node screenshots.mjs BINARY FOLDER
//
// FOLDER/desk-*.png are the README's; FOLDER/views/LANGUAGE-THEME has a picture of every view of views.mjs. With few colours
// they stay small. The headless program stands beside BINARY.

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { callUp, customerRings, hangUp, inState } from './desk.mjs';
import { FIRST_LOOK, PICTURED, wear, worn } from './looks.mjs';
import { withMachine } from './machine.mjs';
import { chooseTheme } from './setup.mjs';
import { through, TOURS, toWindow } from './views.mjs';
import { KEY, until } from './webdriver.mjs';

const [program, folder] = process.argv.slice(2);
if (program === undefined || folder === undefined) {
  console.error('usage: node screenshots.mjs BINARY FOLDER');
  process.exit(2);
}
const [SANNE, EVA] = ['201', '203'];

/** A busy moment: one caller in conversation, one on hold, one ringing, two calls in the list. */
async function busyMoment(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('a reachable account', 30_000, () => session.exists('[data-account-state="registered"]'));
  await session.resizePage(1440, 900);
  await callUp(session, SANNE);
  await until('a few words', 10_000, async () => (await session.text('article .time')) === '0:03');
  await hangUp(session);
  await customerRings(session);
  await session.press(KEY.shift, KEY.f2);
  await until('the caller declined', 10_000, async () => !(await session.exists('article.ringing')));
  await customerRings(session);
  await session.press(KEY.f2);
  await inState(session, 'active', 10_000);
  await session.press(KEY.f6);
  await inState(session, 'held', 10_000);
  await callUp(session, EVA);
  // What is over leaves the column after a while.
  await until('only calls that go on', 15_000, async () => !(await session.exists('article.over')));
  await until('the quality to be known', 15_000, () => session.exists('footer .good'));
  await customerRings(session);
  for (const [theme, language] of [['dark', 'en'], ['light', 'nl']]) {
    await chooseTheme(session, theme);
    await machine.speak(language);
    await session.run(`document.querySelector('[role="combobox"]').focus()`);
    await machine.shot(`desk-${theme}`);
  }
}

/** Colours that a picture of a view may have: enough for its tints, few enough for a repository. */
const COLOURS = '96';

function keep(path, picture) {
  writeFileSync(path, picture);
  execFileSync('convert', [path, '-strip', '+dither', '-colors', COLOURS, '-define', 'png:compression-level=9', `PNG8:${path}`]);
}

/** A picture of one view in each look. */
async function inLooks({ session }, view, again, folder) {
  for (const look of PICTURED) {
    await session.enterMain();
    await wear(session, look);
    if (look !== PICTURED[0]) await again();
    await toWindow(session, view);
    await worn(session, look);
    await session.painted();
    keep(join(folder, `${look.language}-${look.theme}`, `${view.name.replaceAll(/[^a-z0-9]+/g, '-')}.png`), await session.picture());
  }
  await session.enterMain();
  await wear(session, FIRST_LOOK);
}

const binary = resolve(program);
const cli = join(dirname(binary), 'balie-cli');
const shots = resolve(folder);
const views = join(shots, 'views');
if (process.env.BALIE_VIEWS === undefined) rmSync(views, { recursive: true, force: true });
for (const { language, theme } of PICTURED) mkdirSync(join(views, `${language}-${theme}`), { recursive: true });
if (process.env.BALIE_VIEWS === undefined) {
  await withMachine({ binary, cli, shots }, { name: 'screenshots', args: ['--demo'], steps: busyMoment });
}
for (const tour of TOURS) {
  const steps = async (machine) => {
    await machine.session.enterMain();
    await machine.session.resizePage(1280, 800);
    await through(machine, tour.views, (view, again) => inLooks(machine, view, again, views));
  };
  await withMachine({ binary, cli, shots }, { ...tour, steps });
}
