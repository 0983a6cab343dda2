// Parts of the desk in windows of their own: the queues, and the colleagues with the search and its keys.

import assert from 'node:assert/strict';
import { hangUp, inState } from './desk.mjs';
import { pressButton, tabTo } from './hand.mjs';
import { KEY, until } from './webdriver.mjs';
import { WORDS } from './words.mjs';

const FIELD = '[role="combobox"]';
const words = WORDS.nl;

export async function parts(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('a reachable account', 30_000, () => session.exists('[data-account-state="registered"]'));
  await queues(machine);
  await lines(machine);
}

async function closed(session, name) {
  await session.enterMain();
  await until(`the window of ${name} gone`, 10_000, async () => {
    for (const handle of await session.handles()) {
      if (await session.isAt(handle, `/${name}.html`)) return false;
    }
    await session.enterMain();
    return true;
  });
}

/** Presses what closes its own window; that may be gone before the driver has let go of the key. */
async function closes(session) {
  await tabTo(session, '[data-act="close"]');
  await session.press(KEY.enter).catch(() => undefined);
}

async function queues(machine) {
  const { session } = machine;
  await pressButton(session, '[data-act="queues-apart"]');
  await session.enterPart('queues');
  await until('the queues', 20_000, () => session.exists('h1'));
  await machine.says('h1', [words.queue.heading]);
  await until('a queue', 20_000, () => session.run('return document.body.innerText.includes(arguments[0])', 'Storingsdienst'));
  await machine.accessible('the queues in their own window');
  await machine.shot('part-queues-light');
  await closes(session);
  await closed(session, 'queues');
  machine.passed('the queues have a window of their own, which closes');
}

async function lines(machine) {
  const { session } = machine;
  await pressButton(session, '[data-act="lines-apart"]');
  await session.enterPart('lines');
  await until('lamps of colleagues', 30_000, () => session.exists('[role="option"].free'));
  await machine.accessible('the colleagues in their own window');
  await machine.shot('part-lines-light');
  const number = await session.run(`return [...document.querySelectorAll('[role="option"]')]
    .find((tile) => tile.innerText.includes(arguments[0]))?.querySelector('.mark')?.innerText`, words.demo.kinds.speech);
  assert.match(String(number), /^\d+$/, 'the demo has a number that answers');
  await session.run(`document.querySelector('${FIELD}').focus()`);
  await session.type(FIELD, number);
  await until('a result for the number', 5_000, () => session.exists('[role="option"][aria-selected="true"]'));
  await session.press(KEY.enter);
  await session.enterMain();
  await inState(session, 'active', 20_000);
  await hangUp(session);
  await session.enterPart('lines');
  await closes(session);
  await closed(session, 'lines');
  machine.passed('a number typed in the window of the colleagues is called');
}
