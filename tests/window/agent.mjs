// An agent's day at the keyboard, on the demo: away with a reason, a queue joined, a call of the queue with its outcome and wrap-up, supervising, services read back, signed out and in again.

import assert from 'node:assert/strict';
import { hangUp, inState } from './desk.mjs';
import { customer } from './hand.mjs';
import { chooseTheme } from './setup.mjs';
import { KEY, until } from './webdriver.mjs';
import { WORDS } from './words.mjs';

const PILL = '[data-opens="agent"]';
const PANEL = '.panel:not([hidden])';
const nl = WORDS.nl;

export async function agent(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('the state of the agent', 90_000, async () => (await session.text(PILL)).includes(nl.agent.states.available));
  await until('queues with figures', 60_000, () => session.exists('[data-queue] .figure'));
  machine.passed('the demo account is an agent who is available, with queues');
  await away(machine);
  await joined(machine);
  await queueCall(machine);
  await supervising(machine);
  await settings(machine);
  await night(machine);
  await signedOut(machine);
}

/** Axe in both themes, and pictures. */
async function lookAt(machine, view) {
  for (const theme of ['dark', 'light']) {
    await chooseTheme(machine.session, theme);
    await machine.accessible(`${view}, ${theme}`);
    await machine.shot(`${view}-${theme}`);
  }
}

/** Waits until the exchange says so; what is only asked for stands after an arrow. */
const pill = (machine, what, text) => until(what, 30_000, async () => {
  const said = await machine.session.text(PILL);
  return said.includes(text) && !said.includes('→');
});

async function openPanel(session) {
  await session.press(KEY.alt, 'a');
  await until('the panel of the agent', 5_000, () => session.exists(`${PANEL} [data-digit-key="1"], ${PANEL} .row button`));
}

/** Presses Tab until the focus is on what the words name. */
async function tabTo(session, words) {
  await until(`the focus on ${words}`, 10_000, async () => {
    if ((await session.run(`return document.activeElement?.closest('button')?.innerText ?? ''`)).trim() === words) return true;
    await session.press(KEY.tab);
    return false;
  });
}

async function away(machine) {
  const { session } = machine;
  await openPanel(session);
  await lookAt(machine, 'agent');
  const reason = await session.text(`${PANEL} [data-digit-key="1"]`);
  await session.run(`document.querySelector('${PANEL} [data-digit-key="1"]').focus()`);
  await session.press('1');
  await pill(machine, 'unavailable', nl.agent.states.unavailable);
  const shown = reason.replace(/^\s*1\s*/, '').trim();
  await pill(machine, 'the reason', shown);
  machine.passed(`Alt+A and 1: away, because of ${shown}`);
  await openPanel(session);
  await tabTo(session, nl.agent.wishes.available);
  await session.press(KEY.enter);
  await pill(machine, 'available', nl.agent.states.available);
  machine.passed('Alt+A and Enter: available again');
}

async function joined(machine) {
  const { session } = machine;
  await openPanel(session);
  const other = `${PANEL} [role="switch"]:not(:disabled)`;
  await until('a queue that may be joined or left', 10_000, () => session.exists(other));
  const name = await session.run(`return document.querySelector(arguments[0]).getAttribute('aria-label')`, other);
  const state = () => session.run(`return [...document.querySelectorAll('[role="switch"]')].find((one) => one.getAttribute('aria-label') === arguments[0])?.getAttribute('aria-checked')`, name);
  const before = await state();
  const after = before === 'true' ? 'false' : 'true';
  await session.run(`document.querySelector(arguments[0]).focus()`, other);
  await session.press(' ');
  await until(`${name}: ${after}`, 20_000, async () => (await state()) === after);
  await session.press(' ');
  await until(`${name}: ${before}`, 20_000, async () => (await state()) === before);
  await session.press(KEY.escape);
  machine.passed('one queue is joined and left by its switch, as the exchange says');
}

async function queueCall(machine) {
  const { session } = machine;
  await customer(session, true);
  await until('a call of the queue', 45_000, () => session.exists('article.ringing [data-call-queue]'));
  const queue = await session.text('article.ringing [data-call-queue] b');
  await lookAt(machine, 'queue-ringing');
  await session.press(KEY.f2);
  await inState(session, 'active', 15_000);
  await until('the queue at the call', 10_000, async () => (await session.text('article[data-call-state="active"] [data-call-queue] b')) === queue);
  machine.passed(`a call shows its queue until it ends: ${queue}`);
  await machine.shot('queue-call-light');
  await session.press(KEY.f12);
  await until('the question how it went', 20_000, () => session.exists('[data-disposition]'));
  await pill(machine, 'wrap-up', nl.agent.states.wrap_up);
  await until('the end of wrap-up', 10_000, () => session.exists('[data-wrap-up]'));
  await lookAt(machine, 'outcome');
  if (await session.exists('[data-wrap-up] button')) {
    await session.press(KEY.alt, 'e');
    await until('wrap-up put off', 10_000, async () => (await session.text('[data-wrap-up]')).includes(nl.agent.extended));
    machine.passed('Alt+E puts the end of wrap-up off');
  }
  await session.run(`document.querySelector('[role="combobox"]').focus()`);
  await session.press(KEY.alt, 'u');
  await until('the focus on the outcomes', 5_000, () => session.run(`return document.activeElement?.closest('[data-disposition]') !== null`));
  await session.press('1');
  await until('no question left', 20_000, async () => !(await session.exists('[data-disposition]')));
  assert.equal(await session.run(`return document.activeElement?.getAttribute('role')`), 'combobox');
  machine.passed('Alt+U and a digit give the outcome, and typing goes on in the search field');
  await openPanel(session);
  await tabTo(session, nl.agent.wishes.available);
  await session.press(KEY.enter);
  await pill(machine, 'available after wrap-up', nl.agent.states.available);
}

async function supervising(machine) {
  const { session } = machine;
  await session.press(KEY.control, '2');
  await until('supervised queues', 20_000, () => session.exists('[data-supervised] [data-agent]'));
  assert.equal(await session.run('return document.activeElement?.innerText'), nl.supervise.heading);
  await lookAt(machine, 'supervise');
  const chosen = await session.run(`
    const select = [...document.querySelectorAll('[data-agent-state="available"] select')][0];
    if (select === undefined) return null;
    const agent = select.closest('[data-agent]').dataset.agent;
    const option = [...select.options].find(({ value }) => value.startsWith('unavailable'));
    select.value = option.value;
    select.dispatchEvent(new Event('change', { bubbles: true }));
    return agent;`);
  assert.ok(chosen, 'an agent whose state may be changed');
  await until('his new state', 20_000, () => session.exists(`[data-agent="${chosen}"][data-agent-state="unavailable"]`));
  machine.passed('a supervisor changes the state of another agent, and sees it taken');
  await session.press(KEY.escape);
}

async function settings(machine) {
  const { session } = machine;
  await session.press(KEY.control, '4');
  const card = '[data-service="do_not_disturb"]';
  await until('the services', 20_000, () => session.exists(`${card} [role="switch"]`));
  await lookAt(machine, 'settings');
  for (const on of ['true', 'false']) {
    await session.run(`document.querySelector('${card} [role="switch"]').focus()`);
    await session.press(' ');
    await until(`do not disturb ${on}, read back`, 20_000, () =>
      session.exists(`${card}[data-state="verified"] [role="switch"][aria-checked="${on}"]`));
  }
  machine.passed('do not disturb is switched on and off, and read back each time');
  await session.press(KEY.escape);
}

async function night(machine) {
  const { session } = machine;
  await session.press(KEY.alt, 'n');
  await until('the night', 5_000, () => session.exists(`${PANEL} .night, ${PANEL} [data-emergency]`));
  await lookAt(machine, 'night');
  await session.press(KEY.escape);
  await until('no panel', 5_000, async () => !(await session.exists(`${PANEL} .night`)));
  await session.press(KEY.alt, KEY.shift, 'n');
  await until('the number to be typed', 5_000, () => session.run(`return document.activeElement?.matches('${PANEL} [data-emergency-first]') ?? false`));
  await session.press(KEY.escape);
  await until('no panel again', 5_000, async () => !(await session.exists(`${PANEL} [data-emergency]`)));
  machine.passed('Alt+N shows day or night and the emergency forwarding, Alt+Shift+N asks for its number; Esc closes it');
}

async function signedOut(machine) {
  const { session } = machine;
  await openPanel(session);
  await tabTo(session, nl.agent.wishes.sign_out);
  await session.press(KEY.enter);
  const out = async () => {
    const said = await session.text(PILL);
    return said.includes(nl.agent.states.signed_out) && !said.includes('→');
  };
  const refused = async () => {
    if (!(await session.exists(`${PILL} [data-icon="warn"]`))) return false;
    if (!(await session.exists(PANEL))) await openPanel(session);
    return session.exists(`${PANEL} .note.bad`);
  };
  await until('signed out, or asked once more', 30_000, async () => (await out()) || (await refused()));
  if (!(await out())) {
    await machine.says(`${PANEL} .note.bad`, [nl.codes.last_staffed.what]);
    machine.passed('the last one in a queue is told so before he signs out');
    await tabTo(session, nl.agent.force);
    await session.press(KEY.enter);
    await pill(machine, 'signed out', nl.agent.states.signed_out);
  }
  machine.passed('Alt+A signs out');
  if (!(await session.exists(PANEL))) await openPanel(session);
  await tabTo(session, nl.agent.wishes.sign_in);
  await session.press(KEY.enter);
  await until('signed in again', 30_000, async () => !(await session.text(PILL)).includes(nl.agent.states.signed_out));
  machine.passed('and in again');
  await hangUp(session);
}
