// Keys as a user has them: changed by a press, taken along as text, refused whole when something is wrong.

import assert from 'node:assert/strict';
import { customerRings, hangUp, inState } from './desk.mjs';
import { pressButton } from './hand.mjs';
import { KEY, until } from './webdriver.mjs';
import { WORDS } from './words.mjs';

const words = WORDS.nl.keys;
const row = (name) => `[data-key="${name}"]`;

export async function keys(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('a reachable account', 30_000, () => session.exists('[data-account-state="registered"]'));
  await change(machine);
  await takeAlong(machine);
  await used(machine);
}

async function overview(session) {
  await session.press(KEY.f1);
  await until('the keys', 5_000, () => session.exists(row('answer')));
}

async function change(machine) {
  const { session } = machine;
  await overview(session);
  await press(session, 'answer', KEY.alt, 'o');
  await until('the new key', 5_000, async () => (await session.text(row('answer'))).includes('O'));
  // A letter alone is typed into the search field.
  await press(session, 'mute', 'm');
  await until('why not', 5_000, async () => (await session.text(row('mute'))).includes(words.objections.typed));
  await session.press(KEY.escape);
  // A key of somebody else is taken only when it is said.
  await press(session, 'mute', KEY.f6);
  await until('whose key it is', 5_000, async () => (await session.text(row('mute'))).includes(words.takeOver));
  await machine.accessible('a key that is taken');
  await machine.shot('key-taken-light');
  await pressButton(session, `${row('mute')} button`, words.leave);
  assert.ok((await session.text(row('hold'))).includes('F6'), 'it stays where it was');
  machine.passed('a key is changed by a press; letters are refused and taken keys are asked about');
}

async function press(session, name, ...chord) {
  await session.run(`document.querySelector('${row(name)} button').focus()`);
  await session.press(KEY.enter);
  await until('the question for a key', 5_000, async () => (await session.text(row(name))).includes(words.press));
  await session.press(...chord);
}

const text = (session) => session.run(`return document.querySelector('textarea[aria-label="${words.asText}"]').value`);
const give = (session, given) => session.run(`
  const field = document.querySelector('textarea[aria-label="${words.asText}"]');
  field.closest('details').open = true;
  field.value = arguments[0];
  field.dispatchEvent(new Event('input', { bubbles: true }));
`, given);
const use = (session) => pressButton(session, 'details button', words.useText);

async function takeAlong(machine) {
  const { session } = machine;
  const kept = await text(session);
  assert.equal(JSON.parse(kept).keys.answer, 'Alt+O');
  await give(session, kept.replace('"F6"', '"F4"'));
  await use(session);
  await until('why it is refused', 5_000, () => session.run('return document.body.innerText.includes(arguments[0])', words.refused));
  assert.equal(JSON.parse(await text(session)).keys.hold, 'F4', 'what was pasted stays to be mended');
  assert.ok((await session.text(row('hold'))).includes('F6'), 'and nothing of it holds');
  await machine.shot('keys-refused-light');
  await give(session, kept.replace('"Alt+O"', '"Alt+K"'));
  await use(session);
  await until('the keys that were pasted', 5_000, async () => (await session.text(row('answer'))).includes('K'));
  machine.passed('keys go along as text, and a text with a fault is refused whole');
  await session.press(KEY.escape);
  await until('the keys to close', 5_000, async () => !(await session.exists('dialog[open]')));
}

async function used(machine) {
  const { session } = machine;
  await customerRings(session);
  await session.press(KEY.f2);
  assert.ok(await session.exists('article.ringing'), 'the old key is nobody’s');
  await session.press(KEY.alt, 'k');
  await inState(session, 'active', 10_000);
  await hangUp(session);
  machine.passed('the pasted key answers, and the old one does nothing');
}
