// A morning at the desk: call out, hold, answer a customer by keyboard, in Dutch and in English.

import assert from 'node:assert/strict';
import { customer as rings } from './hand.mjs';
import { chooseTheme } from './setup.mjs';
import { KEY, until } from './webdriver.mjs';
import { WORDS } from './words.mjs';

const FIELD = '[role="combobox"]';

export async function desk(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('a reachable account', 30_000, () => session.exists('[data-account-state="registered"]'));
  await machine.says('[data-account-state]', [WORDS.nl.account.registered]);
  machine.passed('the demo account is reachable');
  await until('the search field with the focus', 5_000, () =>
    session.run(`return document.activeElement?.matches('${FIELD}') ?? false`));
  await lookAt(machine, 'quiet');
  drawsByItself(machine);

  await callOut(machine);
  await holdAndResume(machine);
  await keypad(machine);
  await endCall(machine);
  await customer(machine);
  await rejected(machine);
  await english(machine);
  await overview(machine);
}

/** Painted plainly, neither the program nor the process of the pages has a use for GL, and software GL takes much memory. */
function drawsByItself(machine) {
  for (const process of ['balie', 'WebKitWebProces']) {
    const loaded = machine.libraries(process);
    assert.ok(loaded.some((file) => file.includes('libwebkit2gtk')), 'the web engine is among the libraries');
    assert.deepEqual(loaded.filter((file) => /LLVM|_dri\.so|gallium/.test(file)), [], process);
  }
  machine.passed('nothing that draws by GL is loaded');
}

/** Axe and a picture in both themes. */
async function lookAt(machine, view) {
  for (const theme of ['dark', 'light']) {
    await chooseTheme(machine.session, theme);
    await machine.accessible(`${view}, ${theme}`);
    await machine.shot(`${view}-${theme}`);
  }
  await machine.session.run(`document.querySelector('${FIELD}')?.focus()`);
}

async function callOut(machine) {
  const { session } = machine;
  const number = await session.run(`return [...document.querySelectorAll('[role="option"]')]
    .find((tile) => tile.innerText.includes(arguments[0]))?.querySelector('.mark')?.innerText`, WORDS.nl.demo.kinds.speech);
  assert.match(String(number), /^\d+$/, 'the demo has a number that answers');
  await callUp(session, number);
  machine.passed(`typing ${number} and Enter makes a call that is answered`);
  const first = await session.text('article[data-call-state="active"] .time');
  await until('the duration to count', 5_000, async () =>
    (await session.text('article[data-call-state="active"] .time')) !== first);
  machine.passed('the duration counts');
}

async function holdAndResume(machine) {
  const { session } = machine;
  await session.press(KEY.f6);
  await inState(session, 'held', 10_000);
  await machine.shot('held-light');
  await session.press(KEY.f6);
  await inState(session, 'active', 10_000);
  machine.passed('F6 holds and takes back');
  await session.press(KEY.f4);
  await until('the microphone off', 5_000, () => session.exists('[data-act="mute"][aria-pressed="true"]'));
  await session.press(KEY.f4);
  await until('the microphone on', 5_000, () => session.exists('[data-act="mute"][aria-pressed="false"]'));
  machine.passed('F4 mutes and unmutes');
}

async function keypad(machine) {
  const { session } = machine;
  await session.press(KEY.f5);
  await until('the keypad', 5_000, () => session.exists('[data-digit="5"]'));
  for (const digit of ['1', '2', '#']) await session.press(digit);
  await until('the digits', 5_000, async () => (await session.text('output')) === '12#');
  assert.equal(await session.run(`return document.querySelector('${FIELD}').value`), '');
  await lookAt(machine, 'in-call');
  await session.press(KEY.escape);
  await until('the keypad to close', 5_000, async () => !(await session.exists('[data-digit="5"]')));
  machine.passed('digits typed while the keypad is open go to the call');
}

/** Dials by keyboard, and waits until it is answered. */
export async function callUp(session, number) {
  await session.press(KEY.control, 'k');
  await session.write(number);
  await until('a result for the number', 5_000, () => session.exists('[role="option"][aria-selected="true"]'));
  await session.press(KEY.enter);
  await inState(session, 'active', 20_000);
}

/** Hangs up by keyboard, and waits until no call is left. */
export async function hangUp(session) {
  await session.press(KEY.f12);
  await until('no call', 10_000, async () => !(await session.exists('article[data-call-state]')));
}

/** Lets a customer ring, and waits until he does. */
export async function customerRings(session) {
  await rings(session);
  await until('a ringing call', 20_000, () => session.exists('article.ringing'));
}

async function endCall(machine) {
  const { session } = machine;
  await hangUp(session);
  await until('the call in the list', 5_000, () => session.exists('[data-outcome="answered"]'));
  machine.passed('F12 hangs up, and the call stands in the list');
}

async function customer(machine) {
  const { session } = machine;
  await customerRings(session);
  await lookAt(machine, 'ringing');
  await popup(machine);
  await session.press(KEY.f2);
  await inState(session, 'active', 10_000);
  machine.passed('F2 answers a customer, with the focus in the search field');
  await hangUp(session);
}

/** A pop-up whose call is gone is no longer on the display; its window stays, for the next one. */
async function rejected(machine) {
  const { session } = machine;
  const [main, ...more] = await machine.shown();
  assert.ok(main !== undefined && more.length === 0, 'the main window alone is shown');
  await customerRings(session);
  await until('the pop-up on the display', 10_000, async () => (await machine.shown()).length === 2);
  await session.press(KEY.shift, KEY.f2);
  await until('nobody ringing', 10_000, async () => !(await session.exists('article.ringing')));
  await until('the pop-up off the display', 10_000, async () => String(await machine.shown()) === main);
  machine.passed('a call that is declined takes its pop-up off the display');
}

async function popup(machine) {
  const { session } = machine;
  await session.enterPopup();
  await until('the caller in the pop-up', 10_000, () => session.exists('[data-act="answer"]'));
  const shown = await session.text('h1');
  for (const theme of ['dark', 'light']) {
    await session.enterMain();
    await chooseTheme(session, theme);
    await session.enterPopup();
    await until(`the pop-up in ${theme}`, 5_000, async () =>
      (await session.run('return document.documentElement.dataset.theme')) === theme);
    await machine.accessible(`pop-up, ${theme}`);
    await machine.shot(`incoming-${theme}`);
  }
  await session.enterMain();
  assert.ok((await session.text('article.ringing')).includes(shown));
  assert.ok(await session.run('return document.hasFocus()'), 'the pop-up took the focus');
  await session.run(`document.querySelector('${FIELD}').focus()`);
  machine.passed('the pop-up shows the caller and leaves the focus where it was');
}

async function english(machine) {
  const words = await machine.speak('en');
  await machine.says('[data-account-state]', [words.account.registered]);
  await machine.accessible('main, English');
  await machine.shot('english-light');
  await machine.speak('nl');
  await machine.says('[data-account-state]', [WORDS.nl.account.registered]);
  machine.passed('the language changes at once, both ways');
}

async function overview(machine) {
  const { session } = machine;
  await session.press(KEY.f1);
  await until('the key overview', 5_000, () => session.exists('dialog[open]'));
  await machine.accessible('key overview');
  await machine.shot('keys-light');
  await session.press(KEY.escape);
  await until('the overview to close', 5_000, async () => !(await session.exists('dialog[open]')));
  machine.passed('F1 shows the keys, Esc closes them');
}

/** Waits for a call in a state. */
export async function inState(session, state, deadlineMs) {
  await until(`a call that is ${state}`, deadlineMs, () => session.exists(`article[data-call-state="${state}"]`));
}
