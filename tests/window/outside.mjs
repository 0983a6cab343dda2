// From outside: a word of the command line says what came of it, and the desktop tells of calls. And each role has its own windows.

import assert from 'node:assert/strict';
import { customerRings } from './desk.mjs';
import { pressButton } from './hand.mjs';
import { until } from './webdriver.mjs';

export async function outside(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('a reachable account', 30_000, () => session.exists('[data-account-state="registered"]'));
  await answers(machine);
  await notices(machine);
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

/** As on Wayland, where the pop-up has no fixed place: calls are told by the desktop too. */
async function notices(machine) {
  const { session } = machine;
  const service = machine.beside('examples/notifications');
  const told = () => service.output().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  const shown = (after) => told().filter((line) => line.actions?.includes('answer')).at(after);
  await until('the service', 10_000, async () => told().some((line) => line.ready));
  await customerRings(session);
  await until('the notification of a call', 10_000, async () => shown(0) !== undefined);
  const { id, summary, actions } = shown(0);
  assert.match(summary, /belt$/);
  assert.deepEqual(actions.slice(0, 4), ['answer', 'Opnemen', 'refuse', 'Weigeren']);
  service.child.stdin.write(`${id} answer\n`);
  await until('the conversation', 10_000, () => session.exists('article[data-call-state="active"]'));
  await until('the notification gone', 10_000, async () => told().some((line) => line.closed === id));
  await machine.again(['hangup']);
  await until('no call', 10_000, async () => !(await session.exists('article[data-call-state]')));
  await customerRings(session);
  await until('the next notification', 10_000, async () => shown(1) !== undefined);
  service.child.stdin.write(`${shown(1).id} refuse\n`);
  await until('nobody rings', 10_000, async () => !(await session.exists('[data-ringing]')));
  machine.passed('the desktop tells of a call, and its buttons answer and refuse it');
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
  await pressButton(session, '[data-act="lines-apart"]');
  await until('the colleagues in a window', 10_000, async () => (await windows()) === first + 1);
  await role('agent');
  await until('the windows of the other role gone', 10_000, async () => (await windows()) === first);
  await role('receptionist');
  await until('the windows of the role back', 10_000, async () => (await windows()) === first + 1);
  const width = () => session.run('return innerWidth');
  const desk = await width();
  await role('employee');
  await until('a small window for an employee', 10_000, async () => (await width()) < 500);
  await role('receptionist');
  await until('the desk as it was', 10_000, async () => Math.abs((await width()) - desk) < 3);
  machine.passed('each role finds its own windows again, an employee a small one');
}
