// First start: the set-up, an account that cannot work, and the demo with one click.

import assert from 'node:assert/strict';
import { KEY, until } from './webdriver.mjs';
import { WORDS } from './words.mjs';

export async function setup(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('the set-up', 15_000, () => session.exists('[data-act="demo"]'));
  assert.equal(await session.text('h2'), WORDS.nl.setup.title);
  machine.passed('first start shows the set-up in Dutch');
  for (const theme of ['light', 'dark']) {
    await chooseTheme(session, theme);
    await machine.accessible(`set-up, ${theme}`);
    await machine.shot(`setup-${theme}`);
  }

  await session.click('[data-act="own"]');
  await until('the form', 5_000, () => session.exists('input[type="password"]'));
  await session.press(KEY.tab);
  await session.type('[name="balie-user"]', '101');
  await session.type('[name="balie-server"]', '127.0.0.1:9');
  await session.type('[name="balie-password"]', 'wrong-on-purpose');
  await session.run(`[...document.querySelectorAll('form .buttons button')].at(1).click()`);
  await until('the result of the test', 45_000, () => session.exists('.result .bad'));
  const words = await session.text('.result');
  assert.ok(words.includes(WORDS.nl.form.testFailed), words);
  assert.ok(!(await session.run('return document.documentElement.outerHTML')).includes('wrong-on-purpose'));
  machine.passed('an account that cannot work is said to, in words, and the password is not in the page');
  await machine.accessible('account form');
  await machine.shot('setup-form');

  await chooseTheme(session, 'light');
  await session.run(`[...document.querySelectorAll('form .buttons button')].at(0).click()`);
  await session.click('[data-act="demo"]');
  await until('the desk, reachable', 30_000, () => session.exists('[data-account-state="registered"]'));
  machine.passed('one click starts the demo, and the desk is reachable');
}

/** Chooses a theme as a user does, and waits until the page wears it. */
export async function chooseTheme(session, theme) {
  await session.run(`document.querySelector('input[type="radio"][value="' + arguments[0] + '"]').click()`, theme);
  await until(`the ${theme} theme`, 5_000, async () =>
    (await session.run('return document.documentElement.dataset.theme')) === theme);
}
