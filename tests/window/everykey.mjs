// Every command of the key map is given by its key somewhere in these tests: here those that no other scenario needs, at the end the proof
// that none was forgotten. The map is the program's own.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { callUp, customerRings, hangUp, inState } from './desk.mjs';
import { customer, pin } from './hand.mjs';
import { say } from './machine.mjs';
import { KEY, PRESSED, until } from './webdriver.mjs';
import { WORDS } from './words.mjs';

const FIELD = '[role="combobox"]';
const TOM = '202';
const words = WORDS.nl;

const calls = 'article[data-call-state]:not([data-call-state="held"])';
const said = (session, text) => until(`the words "${text}"`, 10_000, () => session.run('return document.body.innerText.includes(arguments[0])', text));
const there = (session, what, selector, deadlineMs = 20_000) => until(what, deadlineMs, () => session.exists(selector));
const who = (session) => session.text('article[data-call-state="active"] .who');

export async function everyKey(machine) {
  const { session } = machine;
  await session.enterMain();
  await there(session, 'a reachable account', '[data-account-state="registered"]', 60_000);
  await there(session, 'lamps of colleagues', '[role="option"].free', 60_000);
  await quiet(machine);
  await dialling(machine);
  await waiting(machine);
  await several(machine);
  await sending(machine);
  await quit(machine);
}

async function type(session, text) {
  await session.run(`document.querySelector('${FIELD}').focus()`);
  await session.type(FIELD, text);
  await there(session, `${text} chosen`, '[role="option"][aria-selected="true"]');
}

async function quiet(machine) {
  const { session } = machine;
  await session.run('document.activeElement.blur()');
  await session.press(KEY.control, 'k');
  await until('the focus in the field', 5_000, () => session.run(`return document.activeElement?.matches('${FIELD}') ?? false`));
  await session.press(KEY.control, '5');
  await there(session, 'the contacts', '.pane.page');
  await session.press(KEY.control, '1');
  await until('the desk', 5_000, async () => !(await session.exists('.pane.page')));
  for (const on of ['true', 'false']) {
    await session.press(KEY.alt, 'g');
    await there(session, `the number withheld: ${on}`, `[data-act="withhold"][aria-pressed="${on}"]`);
  }
  for (const chord of [[KEY.alt, 'j'], [KEY.alt, KEY.shift, 'j']]) {
    await session.press(...chord);
    await said(session, words.keys.none);
    await session.press(KEY.escape);
  }
  // Nobody was missed yet; the keyboard stands there all the same.
  await session.press(KEY.alt, KEY.shift, 'm');
  await until('the focus on the missed calls', 5_000, () => session.run(`return document.activeElement.closest('[data-pane="history"]') !== null`));
  await session.press(KEY.control, 'k');
  await noted(machine);
  await session.type(FIELD, 'eva');
  await machine.again(['tel:0301234567']);
  await there(session, 'the number laid ready', '[data-ready]');
  await session.press(KEY.alt, 'y');
  await until('the number in the field', 5_000, async () => (await session.run(`return document.querySelector('${FIELD}').value`)) === '0301234567');
  await session.press(KEY.escape);
  machine.passed('search, desk, withhold, record without a call, missed calls, a note, and what lies ready');
}

/** Somebody is chosen and something is noted of him, by keys alone. */
async function noted({ session }) {
  const words = 'Belt morgen terug';
  await session.counting(async () => {
    await session.write(TOM);
    await there(session, `${TOM} chosen`, '[role="option"][aria-selected="true"]');
    await session.press(KEY.alt, KEY.shift, 't');
    await until('the focus where something is noted', 5_000, () => session.run(`return document.activeElement.matches('[data-pane="contact"] [data-note]')`));
    await session.write(words);
    await session.press(KEY.enter);
    await until('the note', 10_000, async () => (await session.text('[data-pane="contact"] [data-notes]')).includes(words));
    await session.press(KEY.escape);
    await until('the focus in the field', 5_000, () => session.run(`return document.activeElement?.matches('${FIELD}') ?? false`));
    await session.press(KEY.escape);
    await until('an empty field', 5_000, async () => (await session.run(`return document.querySelector('${FIELD}').value`)) === '');
  });
}

async function dialling(machine) {
  const { session } = machine;
  await type(session, '602');
  await session.press(KEY.alt, KEY.enter);
  await inState(session, 'active', 20_000);
  await hangUp(session);
  await session.press(KEY.alt, KEY.shift, 'd');
  await there(session, 'the last number again', calls);
  await inState(session, 'active', 20_000);
  await hangUp(session);
  // Somebody calls and is not taken; he is called back.
  await customerRings(session);
  await session.press(KEY.shift, KEY.f2);
  await until('nobody ringing', 10_000, async () => !(await session.exists('article.ringing')));
  await session.press(KEY.alt, KEY.shift, 'b');
  await there(session, 'the last caller called back', calls);
  await hangUp(session);
  machine.passed('a new call, the last number, the last caller');
}

async function waiting(machine) {
  const { session } = machine;
  for (let caller = 0; caller < 3; caller += 1) await customer(session);
  await until('three ringing', 20_000, () => session.run(`return document.querySelectorAll('article.ringing').length === 3`));
  const other = () => session.text('[data-ringing="other"]');
  const first = await other();
  await session.press(KEY.shift, KEY.f3);
  await until('another one chosen', 5_000, async () => (await other()) !== first);
  await until('all declined', 30_000, async () => {
    if (!(await session.exists('article.ringing'))) return true;
    await session.press(KEY.shift, KEY.f2);
    return false;
  });
  machine.passed('another of those who wait is chosen');
}

async function several(machine) {
  const { session } = machine;
  await callUp(session, '602');
  const first = await who(session);
  await session.press(KEY.f6);
  await inState(session, 'held', 10_000);
  await type(session, '601');
  await session.press(KEY.alt, KEY.enter);
  await inState(session, 'active', 20_000);
  const second = await who(session);
  assert.notEqual(first, second);
  await session.press(KEY.shift, KEY.f6);
  await until('the first one again', 10_000, async () => (await who(session)) === first);
  await session.press(KEY.alt, '1');
  await until('the held one taken back', 10_000, async () => (await who(session)) === second);
  await there(session, 'the other on hold', 'article.held');
  await session.press(KEY.alt, KEY.shift, '1');
  await until('the held one hung up', 10_000, async () => !(await session.exists('article.held')));
  assert.equal(await who(session), second, 'the conversation goes on');
  await hangUp(session);
  machine.passed('two calls swapped, the first of those on hold taken back and hung up');
}

async function sending(machine) {
  const { session } = machine;
  await type(session, TOM);
  await pin(session);
  await session.press(KEY.escape);
  await customerRings(session);
  await until('a caller in conversation', 20_000, async () => {
    await session.press(KEY.f2);
    return session.exists('article[data-call-state="active"]');
  });
  await session.press(KEY.control, KEY.f1);
  await there(session, 'the caller on his way or there', '[data-flow], [data-transfer]');
  await there(session, 'how it ended', '[data-transfer]', 60_000);
  await until('no caller left', 30_000, async () => {
    if (!(await session.exists('[data-flow], article[data-call-state]'))) return true;
    if (await session.exists('article.held')) await session.press(KEY.escape);
    else if (await session.exists(calls)) await session.press(KEY.f12);
    return false;
  });
  await session.press(KEY.alt, 'b');
  await there(session, 'the caller called back', calls);
  await hangUp(session);
  machine.passed('a pinned target given a caller at once, and the caller called back');
}

async function quit(machine) {
  const { session } = machine;
  await session.press(KEY.control, 'q').catch(() => undefined);
  await until('the end of the program', 20_000, () => session.handles().then((all) => all.length === 0, () => true));
  machine.passed('the program is left by its key');
}

/** The keys at first, by the name of what they do. */
function keyMap() {
  const source = readFileSync(fileURLToPath(new URL('../../ui/src/shared/keymap.ts', import.meta.url)), 'utf8');
  const names = [...(/KEY_NAMES = \[([^\]]+)\]/.exec(source)?.[1] ?? '').matchAll(/'(\w+)'/g)].map((found) => found[1]);
  const first = /FIRST_KEYS: KeyMap = \{([^}]+)\}/.exec(source)?.[1] ?? '';
  const chords = new Map([...first.matchAll(/(\w+): '([^']*)'/g)].map((found) => [found[1], found[2]]));
  assert.ok(names.length > 30, 'the key map is read');
  return names.map((name) => ({ name, chord: chords.get(name) }));
}

/** Run after all others: what nobody pressed. */
export function noKeyForgotten() {
  const missing = keyMap().filter(({ name, chord }) => {
    assert.notEqual(chord, undefined, `${name} stands in the key map`);
    // One that has no key at first is chosen from menus and buttons, where the walk comes by.
    if (chord === '') return false;
    const pattern = new RegExp(`^${chord.replaceAll('+', '\\+').replace('#', '[1-9]')}$`);
    return ![...PRESSED].some((pressed) => pattern.test(pressed));
  });
  if (missing.length > 0) throw new Error(`no scenario presses: ${missing.map(({ name, chord }) => `${name} (${chord})`).join(', ')}`);
  say(`   ok  every one of ${keyMap().length} commands of the key map was given by its key`);
}
