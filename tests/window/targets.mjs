// Where callers can be sent, by hand: the menu of the ways to reach somebody, pinned targets with number keys, what costs, and a
// link clicked during a conversation.

import assert from 'node:assert/strict';
import { customerRings, hangUp, inState } from './desk.mjs';
import { customer, pin, tabTo } from './hand.mjs';
import { KEY, until } from './webdriver.mjs';
import { WORDS } from './words.mjs';

const FIELD = '[role="combobox"]';
const EVA = '203';
const TOM = '202';
const words = WORDS.nl;

export async function targets(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('a reachable account', 30_000, () => session.exists('[data-account-state="registered"]'));
  await until('lamps of colleagues', 30_000, () => session.exists('[role="option"].free'));
  await link(machine);
  await menu(machine);
  await pins(machine);
  await costs(machine);
  await other(machine);
}

const typed = (session) => session.run(`return document.querySelector('${FIELD}').value`);
const noCall = async (session) => !(await session.exists('[data-flow], article[data-call-state], article.ringing'));

/** A customer in conversation. */
async function conversation(session) {
  await customerRings(session);
  await session.press(KEY.f2);
  await inState(session, 'active', 10_000);
}

async function choose(session, number) {
  await session.run(`document.querySelector('${FIELD}').focus()`);
  await session.type(FIELD, number);
  await until(`${number} chosen`, 5_000, () => session.run(
    `return document.querySelector('[role="option"][aria-selected="true"] .mark')?.innerText === arguments[0]`, number));
}

async function link(machine) {
  const { session } = machine;
  await conversation(session);
  await session.run(`document.querySelector('${FIELD}').focus()`);
  await session.type(FIELD, 'eva');
  await machine.again(['tel:030-123%2045%2067']);
  await until('the number beside what was typed', 10_000, () => session.exists('[data-ready="0301234567"]'));
  assert.equal(await typed(session), 'eva', 'what was typed stays');
  await machine.says('[data-ready]', [words.desktop.readyHeading, words.desktop.take]);
  await machine.accessible('a number that lies ready');
  await machine.shot('ready-light');
  await session.press(KEY.escape);
  await until('the number put away', 5_000, async () => !(await session.exists('[data-ready]')));
  assert.equal(await typed(session), 'eva', 'Esc takes away what came last');
  await session.press(KEY.escape);
  await until('an empty field', 5_000, async () => (await typed(session)) === '');
  await machine.again(['tel:030-123%2045%2067']);
  await until('the number in the field', 10_000, async () => (await typed(session)) === '0301234567');
  assert.equal(await session.text('[data-act="enter"]').then((text) => text.split(/\s/)[0]), words.transfer.consult, 'what Enter does is said');
  await session.press(KEY.escape);
  await until('an empty field', 5_000, async () => (await typed(session)) === '');
  await hangUp(session);
  machine.passed('a link clicked during a conversation lies beside what was typed, and says what Enter does');
}

async function menu(machine) {
  const { session } = machine;
  await conversation(session);
  await choose(session, EVA);
  await session.press(KEY.alt, 'd');
  await until('the ways to reach her', 5_000, () => session.exists('[data-targets] [data-way="voicemail"]'));
  await machine.says('[data-targets]', [words.targets.kinds.line, words.targets.kinds.mobile, words.targets.kinds.voicemail, words.targets.kinds.park]);
  await machine.accessible('the menu of targets');
  await machine.shot('targets-light');
  await session.press(KEY.escape);
  await until('the menu closed', 5_000, async () => !(await session.exists('[data-targets]')));
  assert.ok(await session.exists('article[data-call-state="active"]'), 'the caller is where he was');
  await session.press(KEY.alt, 'v');
  await until('the caller at the voicemail', 30_000, () => session.exists('[data-transfer="done"]'));
  const where = await session.text('[data-transfer="done"]');
  assert.ok(where.includes(words.targets.kinds.voicemail), where);
  await until('no call here', 20_000, () => noCall(session));
  await machine.shot('to-voicemail-light');
  machine.passed('Alt+D shows the ways to reach somebody, Alt+V gives a caller to his voicemail, and the list says so');
}

async function pins(machine) {
  const { session } = machine;
  await choose(session, TOM);
  await pin(session);
  await session.press(KEY.escape);
  await conversation(session);
  await session.press(KEY.control, KEY.shift, '1');
  await until('the pinned one called', 20_000, () => session.exists('[data-flow]'));
  await machine.shot('pinned-light');
  await session.press(KEY.escape);
  await inState(session, 'active', 10_000);
  await session.press(KEY.control, KEY.shift, '2');
  await until('a word that nobody is pinned there', 5_000, () =>
    session.run('return document.body.innerText.includes(arguments[0])', words.pins.none(2)));
  await hangUp(session);
  machine.passed('a pinned target is consulted by its number key, and an empty place says so');
  await anotherOrder(machine);
}

const order = (session) => session.run(`return [...document.querySelectorAll('[data-pin] .ellipsis')].map((one) => one.innerText)`);

/** Two pins change places by keys and by a drag, and stand so when the page is opened anew. */
async function anotherOrder(machine) {
  const { session } = machine;
  await choose(session, EVA);
  await pin(session, 2);
  await session.press(KEY.escape);
  const first = await order(session);
  assert.equal(first.length, 2);
  const turned = first.toReversed();
  const standsSo = (wanted) => until(`the pinned ones as ${wanted}`, 5_000, async () => String(await order(session)) === String(wanted));
  await tabTo(session, '[data-pin="1"]');
  await session.press(KEY.alt, KEY.right);
  await standsSo(turned);
  await until('the focus on the one that was moved', 5_000, () => session.run(`return document.activeElement.matches('[data-pin="2"]')`));
  await session.press(KEY.alt, KEY.left);
  await standsSo(first);
  await session.drag('[data-pin="1"]', '[data-pin="2"]');
  await until('the place that it would take', 5_000, () => session.exists('[data-pin="2"].over'));
  await machine.shot('pin-dragged-light');
  await session.letGo();
  await standsSo(turned);
  await session.run('location.reload()');
  await until('the desk again', 30_000, () => session.exists('[data-pin="2"]'));
  await standsSo(turned);
  await until('a reachable account', 30_000, () => session.exists('[data-account-state="registered"]'));
  machine.passed('pinned targets take another order by Alt and an arrow and by a drag, and keep it');
}

async function costs(machine) {
  const { session } = machine;
  await session.run(`document.querySelector('${FIELD}').focus()`);
  await session.type(FIELD, '0900-8844');
  await session.press(KEY.enter);
  await until('the question', 5_000, () => session.exists('[data-costs="premium"]'));
  await machine.says('[data-costs]', [words.costs.kinds.premium, words.costs.call, words.costs.leave]);
  await machine.accessible('a number that costs');
  await machine.shot('costs-light');
  assert.ok(await noCall(session), 'nobody is called before the answer');
  await session.press(KEY.escape);
  await until('no question', 5_000, async () => !(await session.exists('[data-costs]')));
  await session.press(KEY.escape);
  await session.type(FIELD, '112');
  await until('the word about help', 5_000, () => session.exists('[data-help]'));
  // The embedded exchange reaches nobody outside, and that is said.
  await machine.says('[data-help]', [words.help.heading, words.help.warnings.cannot_call]);
  await machine.accessible('an emergency number');
  await machine.shot('help-light');
  await session.press(KEY.escape);
  machine.passed('what costs is asked about once; of an emergency number it is said by which line it is called');
}

/** Two customers: the other one is taken with F3; while somebody is on the line it takes two presses. */
async function other(machine) {
  const { session } = machine;
  await customerRings(session);
  await customer(session);
  await until('two ringing calls', 20_000, () => session.run(`return document.querySelectorAll('[data-ringing]').length === 2`));
  await machine.shot('two-ringing-light');
  const second = await session.text('[data-ringing="other"] .who strong');
  // A key that was on its way when he began to ring is not meant for him.
  await until('the other one on the line', 10_000, async () => {
    await session.press(KEY.f3);
    return session.exists('article[data-call-state="active"]');
  });
  assert.equal(await session.text('article[data-call-state="active"] .who'), second);
  await session.press(KEY.f2);
  await until('the question', 5_000, () => session.run('return document.body.innerText.includes(arguments[0])', words.calls.callWaiting('').trim().split('. ')[1]));
  assert.ok(await session.exists('[data-ringing]'), 'one press answers nobody while somebody is on the line');
  await machine.shot('call-waiting-light');
  await until('the first one answered', 10_000, async () => {
    await session.press(KEY.f2);
    return !(await session.exists('[data-ringing]'));
  });
  await until('the other one on hold', 10_000, () => session.exists('article.held'));
  await session.press(KEY.f12);
  await until('only the held one', 10_000, async () => !(await session.exists('article[data-call-state="active"]')));
  await session.press(KEY.f6);
  await inState(session, 'active', 10_000);
  await hangUp(session);
  machine.passed('F3 answers the other one; with somebody on the line a second press is needed');
}
