// Takes the pictures of the README: node screenshots.mjs BINARY FOLDER

import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { callUp, customerRings, hangUp, inState } from './desk.mjs';
import { withMachine } from './machine.mjs';
import { chooseTheme } from './setup.mjs';
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

const shots = resolve(folder);
mkdirSync(shots, { recursive: true });
await withMachine({ binary: resolve(program), shots }, { name: 'screenshots', args: ['--demo'], steps: busyMoment });
