// Passing callers on: warm with Enter and Enter, back with Esc, cold with Ctrl+Enter and back with the reason when nobody answers.

import assert from 'node:assert/strict';
import { customerRings, hangUp, inState } from './desk.mjs';
import { KEY, until } from './webdriver.mjs';
import { WORDS } from './words.mjs';

const FIELD = '[role="combobox"]';
const EVA = '203';

export async function transfers(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('a reachable account', 30_000, () => session.exists('[data-account-state="registered"]'));
  await until('lamps of colleagues', 30_000, () => session.exists('[role="option"].free'));
  await machine.says('[role="option"].free', [WORDS.nl.lamp.states.idle]);
  machine.passed('colleagues show whether they are free, in words');
  await back(machine);
  await warm(machine);
  await cold(machine);
}

/** A customer in conversation. */
async function conversation(session) {
  await customerRings(session);
  await session.press(KEY.f2);
  await inState(session, 'active', 10_000);
}

async function choose(session, number) {
  await session.run(`document.querySelector('${FIELD}').focus()`);
  await session.type(FIELD, number);
  await until('a result for the number', 5_000, () => session.exists('[role="option"][aria-selected="true"]'));
}

async function consult(session) {
  await choose(session, EVA);
  await session.press(KEY.enter);
  await until('the colleague on the line', 20_000, () => session.exists('[data-flow="consulting"]'));
}

async function back(machine) {
  const { session } = machine;
  await conversation(session);
  await consult(session);
  await machine.accessible('consultation');
  await machine.shot('consult-light');
  await session.press(KEY.f6);
  await until('the caller in conversation', 10_000, () => session.exists('[data-flow="with_caller"]'));
  await session.press(KEY.escape);
  await inState(session, 'active', 10_000);
  await until('no consultation', 10_000, async () => !(await session.exists('[data-flow]')));
  machine.passed('F6 swaps during a consultation, Esc gives the caller back');
  await hangUp(session);
}

async function warm(machine) {
  const { session } = machine;
  await conversation(session);
  await consult(session);
  await session.press(KEY.enter);
  await until('the transfer in the list', 30_000, () => session.exists('[data-transfer="done"]'));
  await until('no call here', 20_000, async () => !(await session.exists('[data-flow], article[data-call-state]')));
  machine.passed('Enter consults, Enter again connects, and the transfer stands in the list');
}

async function cold(machine) {
  const { session } = machine;
  const nobody = await session.run(`return [...document.querySelectorAll('[role="option"]')]
    .find((tile) => tile.innerText.includes(arguments[0]))?.querySelector('.mark')?.innerText`, WORDS.nl.demo.kinds.declines);
  assert.match(String(nobody), /^\d+$/, 'the demo has a number that declines');
  await conversation(session);
  await choose(session, nobody);
  await session.press(KEY.control, KEY.enter);
  await until('the caller back, with the reason', 60_000, () => session.exists('article.held .failed'));
  await machine.says('article.held .failed', [WORDS.nl.transfer.stillHere]);
  await machine.accessible('a transfer that failed');
  await machine.shot('returned-light');
  await session.press(KEY.escape);
  await inState(session, 'active', 10_000);
  machine.passed('a transfer that nobody takes comes back with the reason, and Esc takes the caller back');
  await hangUp(session);
}
