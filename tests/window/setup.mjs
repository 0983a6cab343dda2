// First start: the set-up, an account that cannot work, and the demo with one press; by the keyboard alone.

import assert from 'node:assert/strict';
import { pressButton, wear, writeInto } from './hand.mjs';
import { until } from './webdriver.mjs';
import { WORDS } from './words.mjs';

const words = WORDS.nl;

export async function setup(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('the set-up', 15_000, () => session.exists('[data-act="demo"]'));
  assert.equal(await session.text('h2'), words.setup.title);
  machine.passed('first start shows the set-up in Dutch');
  for (const theme of ['light', 'dark']) {
    await session.counting(() => wear(session, theme));
    await machine.accessible(`set-up, ${theme}`);
    await machine.shot(`setup-${theme}`);
  }

  await session.counting(async () => {
    await pressButton(session, '[data-act="own"]');
    await writeInto(session, '[name="balie-user"]', '101');
    await writeInto(session, '[name="balie-server"]', '127.0.0.1:9');
    await writeInto(session, '[name="balie-password"]', 'wrong-on-purpose');
    await pressButton(session, 'form .buttons button', words.form.test);
    await until('the result of the test', 45_000, () => session.exists('.result .bad'));
  });
  const result = await session.text('.result');
  assert.ok(result.includes(words.form.testFailed), result);
  assert.ok(!(await session.run('return document.documentElement.outerHTML')).includes('wrong-on-purpose'));
  machine.passed('an account that cannot work is said to, in words, and the password is not in the page');
  await machine.accessible('account form');
  await machine.shot('setup-form');

  await session.counting(async () => {
    await wear(session, 'light');
    await pressButton(session, 'form .buttons button', words.form.cancel);
    await pressButton(session, '[data-act="demo"]');
    await until('the desk, reachable', 30_000, () => session.exists('[data-account-state="registered"]'));
  });
  machine.passed('one press starts the demo, and the desk is reachable; none of it took a mouse');
}

/** Chooses a theme where it is only a means, and waits until the page wears it; `wear` does so by keys. */
export async function chooseTheme(session, theme) {
  await session.run(`document.querySelector('input[type="radio"][value="' + arguments[0] + '"]').click()`, theme);
  await until(`the ${theme} theme`, 5_000, async () =>
    (await session.run('return document.documentElement.dataset.theme')) === theme);
}
