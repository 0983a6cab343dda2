// From outside: a word of the command line says what came of it. And each role has its own windows.

import assert from 'node:assert/strict';
import { customerRings } from './desk.mjs';
import { until } from './webdriver.mjs';

export async function outside(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('a reachable account', 30_000, () => session.exists('[data-account-state="registered"]'));
  await answers(machine);
  await roles(machine);
}

async function answers(machine) {
  const { session } = machine;
  for (const [word, why] of [['answer', /op te nemen|to answer/], ['hangup', /op te hangen|to hang up/], ['hold', /terug te halen|to take back/], ['mute', /te dempen|to mute/]]) {
    const { code, said } = await machine.outcome([word]);
    assert.equal(code, 1, `balie ${word} without a call`);
    assert.match(said, why);
  }
  const long = await machine.outcome(['dial', '9'.repeat(300)]);
  assert.equal(long.code, 1, 'what cannot be dialled');
  assert.match(long.said, /geen nummer|no number/);
  await customerRings(session);
  const { code, said } = await machine.outcome(['answer']);
  assert.equal(code, 0, `balie answer: ${said}`);
  assert.equal(said, '', 'nothing to say when it was done');
  await until('the conversation', 10_000, () => session.exists('article[data-call-state="active"]'));
  await machine.again(['hangup']);
  await until('no call', 10_000, async () => !(await session.exists('article[data-call-state]')));
  machine.passed('a word of the command line ends with what came of it, in words and by its exit code');
}

async function roles(machine) {
  const { session } = machine;
  const role = (name) => session.run(
    `const kept = JSON.parse(localStorage.getItem('balie.layout') ?? '{}');
     const text = JSON.stringify({ ...kept, role: arguments[0] });
     localStorage.setItem('balie.layout', text);
     dispatchEvent(new StorageEvent('storage', { key: 'balie.layout', newValue: text }));`,
    name,
  );
  const windows = async () => (await session.handles()).length;
  const first = await windows();
  await session.run(`document.querySelector('[data-act="lines-apart"]').click()`);
  await until('the colleagues in a window', 10_000, async () => (await windows()) === first + 1);
  await role('agent');
  await until('the windows of the other role gone', 10_000, async () => (await windows()) === first);
  await role('receptionist');
  await until('the windows of the role back', 10_000, async () => (await windows()) === first + 1);
  machine.passed('each role finds its own windows again');
}
