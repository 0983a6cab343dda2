// From outside the window: words of the command line, a clicked link, a key that works everywhere.

import assert from 'node:assert/strict';
import { customerRings, inState } from './desk.mjs';
import { KEY, until } from './webdriver.mjs';
import { WORDS } from './words.mjs';

const FIELD = '[role="combobox"]';
/** The key that the test chooses, as the program writes it and as a keyboard presses it. With function keys the display changes consoles. */
const HOTKEY = { chord: 'Ctrl+Alt+K', pressed: 'ctrl+alt+k' };

/** Before the program runs there is nobody to obey. */
export async function nobodyThere({ start }) {
  const { code, said } = await start(['answer']);
  assert.equal(code, 1, 'a word for a program that does not run is refused');
  assert.match(said, /Balie (?:is not running|draait niet)/);
}

export async function elsewhere(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('a reachable account', 30_000, () => session.exists('[data-account-state="registered"]'));
  await links(machine);
  await words(machine);
  await hotkey(machine);
}

const typed = (session) => session.run(`return document.querySelector('${FIELD}').value`);
const noCall = async (session) => !(await session.exists('article[data-call-state]'));

async function links(machine) {
  const { session } = machine;
  await machine.again(['tel:030-123%2045%2067']);
  await until('the number of the link', 10_000, async () => (await typed(session)) === '0301234567');
  assert.ok(await noCall(session), 'a link dials nothing');
  await machine.again(['file:///etc/passwd']);
  await machine.again(['dial', 'jansen']);
  await until('the name laid ready', 10_000, async () => (await typed(session)) === 'jansen');
  machine.passed('a clicked link lies ready and is not dialled; other links are left');
}

async function words(machine) {
  const { session } = machine;
  await customerRings(session);
  await machine.again(['answer']);
  await state(session, 'active');
  await machine.again(['hold']);
  await state(session, 'held');
  await machine.again(['hold']);
  await state(session, 'active');
  await machine.again(['mute']);
  await until('the microphone off', 10_000, () => session.exists('[data-act="mute"][aria-pressed="true"]'));
  await machine.again(['mute']);
  await until('the microphone on', 10_000, () => session.exists('[data-act="mute"][aria-pressed="false"]'));
  await machine.again(['hangup']);
  await until('no call', 10_000, () => noCall(session));
  machine.passed('answer, hold, mute and hangup are obeyed as words of the command line');
}

async function hotkey(machine) {
  const { session } = machine;
  await session.press(KEY.f1);
  await until('the key that answers everywhere', 5_000, () => session.exists('[data-hotkey="answer"] > button'));
  await session.run(`document.querySelector('[data-hotkey="answer"] > button').focus()`);
  await session.press(KEY.enter);
  await until('the question for a key', 5_000, async () => (await session.text('[data-hotkey="answer"]')).includes(WORDS.nl.keys.press));
  await session.press(KEY.control, KEY.alt, 'k');
  await until('the key to be had', 10_000, async () => (await session.text('[data-hotkey="answer"]')).includes('K'));
  await machine.accessible('keys that work everywhere');
  await machine.shot('hotkeys');
  assert.ok(!(await session.text('[data-hotkey="answer"]')).includes(WORDS.nl.desktop.taken), 'nobody else has it');
  await session.press(KEY.escape);
  await customerRings(session);
  await machine.key(HOTKEY.pressed);
  await state(session, 'active');
  await machine.again(['hangup']);
  await until('no call', 10_000, () => noCall(session));
  machine.passed(`${HOTKEY.chord} answers wherever the user is`);
}

const state = (session, name) => inState(session, name, 15_000);
