// A receptionist's calls with every key counted and no mouse, each looked up in the exchange's own books as well: who is connected to whom.

import assert from 'node:assert/strict';
import { hangUp, inState } from './desk.mjs';
import { Exchange } from './exchange.mjs';
import { KEY, until } from './webdriver.mjs';
import { WORDS } from './words.mjs';

const FIELD = '[role="combobox"]';
const DESK = Exchange.USER;
const words = WORDS.nl;
const TILE = '[role="option"][aria-selected="true"]';
/** The right column. */
const ABOUT = '.pane.about';
/** The head over the figures of queues: each row says its figures with words of its own, which are longer. */
const HEAD = '.table > .head[aria-hidden="true"]';
/** The queue that is too busy with two callers. */
const QUEUE = { number: '195', name: 'Klantenservice', shown: '[data-queue^="195"]' };
/** Colleagues with telephones of their own. */
const [JORIS, JANSEN] = ['102', '107'];
/** Who calls, in turn. */
const CALLERS = [
  { name: 'Garage Jansen', number: '+31201234567' },
  { name: 'Mevrouw Mulder', number: '+31612345678' },
  { name: 'Bakkerij Özdemir', number: '+31301234567' },
  { name: 'Meneer Van der Heijden', number: '+31687654321' },
  { name: 'Apotheek Oosterpark', number: '+31205550123' },
  { name: 'Huisartsenpost De Linde', number: '+31508765432' },
];

/** The demo's company with a Jansen in it, and the receptionist looking after the queues. */
const company = (text) => text
  .replace('[[person]]', `[[account]]\nextension = "${JANSEN}"\nname = "Piet Jansen"\nrole = "employee"\ndepartment = "Techniek"\n\n[[person]]`)
  .replace('role = "receptionist"', 'role = "supervisor"')
  .replaceAll('supervisors = ["106"]', `supervisors = ["106", "${DESK}"]`)
  .replace('calls = { yellow = 3, red = 6 }', 'calls = { yellow = 1, red = 2 }');

async function prepare({ home, processes, cli }) {
  const exchange = new Exchange(cli, processes, home, company);
  await exchange.start();
  const telephones = { [JORIS]: await exchange.colleague(JORIS), [JANSEN]: await exchange.colleague(JANSEN) };
  for (const one of Object.values(telephones)) one.answers = true;
  return { kept: { exchange, telephones }, settings: exchange.watching() };
}

async function counted(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('a reachable account', 30_000, () => session.exists('[data-account-state="registered"]'));
  await until('lamps of colleagues', 60_000, () => session.exists('[role="option"].free'));
  await until('the search field with the focus', 5_000, () => session.run(`return document.activeElement?.matches('${FIELD}') ?? false`));
  await cold(machine);
  await warm(machine);
  await back(machine);
  await park(machine);
  await pickup(machine);
  await pull(machine);
  await ringBack(machine);
  await jansen(machine);
  await queue(machine);
  await queueByKeys(machine);
}

let turn = 0;

/** The next caller rings and is answered by one key. */
async function answered(machine) {
  const { session, kept: { exchange } } = machine;
  const caller = CALLERS[turn++ % CALLERS.length];
  await machine.listen();
  await exchange.customer(caller);
  await until(`${caller.name} ringing`, 20_000, async () => (await session.text('article.ringing')).includes(caller.name));
  await machine.saysOnce('alert', words.live.incoming(caller.name, '', 'F2'));
  await machine.tells('article.ringing', { role: 'article', words: [caller.name] });
  await machine.counted('answered', 1, async () => {
    await session.press(KEY.f2);
    await inState(session, 'active', 10_000);
  });
  assert.equal(await session.text('article[data-call-state="active"] .who'), caller.name);
  await talks(machine, caller, DESK);
  await machine.tells('article[data-call-state="active"]', { role: 'article', words: [caller.name] });
  await machine.tells(ABOUT, { but: HEAD, words: [caller.name] });
  await machine.listen();
  return caller;
}

/** Waits until the exchange has this caller, and him alone, in conversation with the other, neither on hold. */
async function talks({ kept: { exchange } }, caller, other) {
  let calls = [];
  await until(`${caller.name} talking to ${other} in the books of the exchange`, 20_000, async () => {
    calls = await exchange.callsOf(caller.number);
    const [one] = calls;
    return calls.length === 1 && one.stage === 'talking' && one.called.number === other && one.caller.number === caller.number
      && !one.called.holds && !one.caller.holds && one.parked === null;
  }).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(calls)}`);
  });
}

/** The desk is rid of this caller: he talks to the colleague, at whose telephone that is the only call. */
async function given(machine, caller, colleague) {
  const { session, kept: { telephones } } = machine;
  await talks(machine, caller, colleague);
  await deskHas(machine, 0);
  await until(`one conversation at the telephone of ${colleague}`, 10_000, async () => String(telephones[colleague].states) === 'active');
  await noCall(session);
  await telephones[colleague].hangUp();
}

/** Waits until the desk has this many calls, and no more. */
async function deskHas({ kept: { exchange } }, count) {
  await until(`${count} calls of the desk in the books of the exchange`, 20_000, async () => {
    const calls = await exchange.callsOf(DESK);
    return calls.length === count;
  });
}

const highlighted = (session) => session.text(TILE);

/** Searches until the one that is meant is highlighted. */
async function highlight(session, letters, number) {
  await session.write(letters);
  await until(`${number} highlighted`, 5_000, async () => (await highlighted(session)).includes(number));
}

/** The highlighted one, and the column about him, for who does not see them. */
async function tellsTarget(machine, name, number) {
  await machine.tells(TILE, { role: 'option', words: [name, number] });
  await machine.tells(ABOUT, { but: HEAD, words: [name, number] });
}

/** What became of a caller: said once, and in the list. */
async function tellsOutcome(machine, caller, name) {
  await machine.saysOnce('status', words.transfer.arrived(caller.name, name));
  await machine.tells('li[data-transfer]', { role: 'listitem', words: [caller.name, name] });
}

const noCall = (session) => until('no call here', 20_000, async () => !(await session.exists('[data-flow], article[data-call-state], article.ringing')));

/** Waits until the newest line of the list of transfers is about these two. */
const listed = (session, caller, name) => until(`${caller.name} to ${name} in the list`, 30_000, async () => {
  const text = await session.text('[data-transfer]');
  return text.includes(caller.name) && text.includes(name) && (await session.exists('[data-transfer="done"]'));
});

async function cold(machine) {
  const { session } = machine;
  const caller = await answered(machine);
  await highlight(session, 'joris', JORIS);
  await tellsTarget(machine, 'Joris Hendriks', JORIS);
  await machine.counted('transferred without asking', 1, async () => {
    await session.press(KEY.control, KEY.enter);
    await listed(session, caller, 'Joris Hendriks');
  });
  await given(machine, caller, JORIS);
  await tellsOutcome(machine, caller, 'Joris Hendriks');
}

async function consulting(machine) {
  const { session } = machine;
  const caller = await answered(machine);
  await highlight(session, 'joris', JORIS);
  return caller;
}

async function warm(machine) {
  const { session } = machine;
  const caller = await consulting(machine);
  await machine.counted('transferred after asking', 2, async () => {
    await session.press(KEY.enter);
    await until('the colleague on the line', 20_000, () => session.exists('[data-flow="consulting"]'));
    await machine.tells('[data-flow]', { role: 'article', words: [words.transfer.now.consulting(caller.name, 'Joris Hendriks', '0:00')] });
    await session.press(KEY.enter);
    await listed(session, caller, 'Joris Hendriks');
  });
  await given(machine, caller, JORIS);
  await tellsOutcome(machine, caller, 'Joris Hendriks');
}

async function back(machine) {
  const { session } = machine;
  const caller = await consulting(machine);
  await session.press(KEY.enter);
  await until('the colleague on the line', 20_000, () => session.exists('[data-flow="consulting"]'));
  await machine.counted('the caller taken back', 1, async () => {
    await session.press(KEY.escape);
    await inState(session, 'active', 10_000);
    await until('no consultation', 10_000, async () => !(await session.exists('[data-flow]')));
  });
  assert.equal(await session.text('article[data-call-state="active"] .who'), caller.name);
  await talks(machine, caller, DESK);
  await deskHas(machine, 1);
  await hangUp(session);
}

async function park(machine) {
  const { session, kept: { exchange } } = machine;
  const caller = await answered(machine);
  await machine.counted('parked', 1, async () => {
    await session.press(KEY.f8);
    await until('the parked caller', 20_000, async () => (await session.text('[data-parked]')).includes(caller.name));
  });
  await until('him parked in the books of the exchange', 20_000, async () => {
    const calls = await exchange.callsOf(caller.number);
    return calls.length === 1 && calls[0].parked === DESK && calls[0].stage === 'alone';
  });
  await noCall(session);
  await machine.tells('li[data-parked]', { role: 'listitem', words: [caller.name] });
  await machine.tells(ABOUT, { but: HEAD });
  await machine.counted('fetched from parking', 1, async () => {
    await session.press(KEY.shift, KEY.f8);
    await inState(session, 'active', 20_000);
  });
  assert.equal(await session.text('article[data-call-state="active"] .who'), caller.name, 'the one who was parked');
  await until('nobody parked', 10_000, async () => !(await session.exists('[data-parked]')));
  await talks(machine, caller, DESK);
  await hangUp(session);
}

async function pickup(machine) {
  const { session, kept: { exchange, telephones } } = machine;
  const caller = CALLERS[turn++ % CALLERS.length];
  telephones[JORIS].answers = false;
  await highlight(session, 'joris', JORIS);
  await exchange.customer({ ...caller, to: JORIS });
  await until('him being rung', 20_000, () => session.exists(`${TILE}.ring`));
  await tellsTarget(machine, 'Joris Hendriks', JORIS);
  await machine.counted('picked up', 1, async () => {
    await session.press(KEY.f7);
    await inState(session, 'active', 20_000);
  });
  assert.equal(await session.text('article[data-call-state="active"] .who'), caller.name, 'the one who rang there');
  await talks(machine, caller, DESK);
  await until('nobody ringing there', 20_000, async () => (await highlighted(session)).includes(JORIS) && !(await session.exists(`${TILE}.ring`)));
  await session.press(KEY.escape);
  await hangUp(session);
}

/** A call that another telephone of the same user answered goes on here. */
async function pull(machine) {
  const { session, kept: { exchange } } = machine;
  const caller = CALLERS[turn++ % CALLERS.length];
  const other = await exchange.colleague(DESK);
  other.answers = true;
  await exchange.customer(caller);
  await until('the caller at the other telephone', 20_000, async () => String(other.states) === 'active');
  await noCall(session);
  await machine.counted('taken over from another telephone', 1, async () => {
    await session.press(KEY.alt, KEY.shift, 'v');
    await inState(session, 'active', 20_000);
  });
  assert.equal(await session.text('article[data-call-state="active"] .who'), caller.name, 'the one who was there');
  await talks(machine, caller, DESK);
  await until('nobody at the other telephone', 10_000, async () => other.states.length === 0);
  await other.end();
  await hangUp(session);
}

/** A colleague who is busy is called when he is free. */
async function ringBack(machine) {
  const { session, kept: { exchange, telephones } } = machine;
  const joris = telephones[JORIS];
  joris.answers = true;
  await exchange.ask({ cmd: 'line.call_waiting', line: JORIS, on: false });
  await exchange.customer({ ...CALLERS[turn++ % CALLERS.length], to: JORIS });
  await until('a colleague who talks', 20_000, async () => String(joris.states) === 'active');
  await highlight(session, 'joris', JORIS);
  await session.press(KEY.enter);
  await until('the offer to ring when he is free', 20_000, () => session.exists('[data-act="ring-back"]'));
  await machine.listen();
  await machine.counted('asked to be rung when he is free', 1, async () => {
    await session.press(KEY.alt, 't');
    await until('the word that it was asked', 10_000, () => session.run('return document.body.textContent.includes(arguments[0])', words.calls.ringBackAsked('Joris Hendriks')));
  });
  await machine.saysOnce('status', words.calls.ringBackAsked('Joris Hendriks'));
  assert.ok(!(await session.exists('article.ringing')), 'he still talks');
  await joris.hangUp();
  await until('the exchange ringing', 20_000, () => session.exists('article.ringing'));
  await session.press(KEY.f2);
  await inState(session, 'active', 20_000);
  await until('him on the line', 20_000, async () => String(joris.states) === 'active');
  const calls = await exchange.callsOf(JORIS);
  assert.ok(calls.length === 1 && calls[0].stage === 'talking' && [calls[0].caller.number, calls[0].called.number].includes(DESK), JSON.stringify(calls));
  await hangUp(session);
  await exchange.ask({ cmd: 'line.call_waiting', line: JORIS, on: true });
}

async function jansen(machine) {
  const { session } = machine;
  const caller = await answered(machine);
  await machine.counted('"jansen" found and given the caller', 8, async () => {
    await highlight(session, 'jansen', JANSEN);
    await session.press(KEY.control, KEY.enter);
    await listed(session, caller, 'Piet Jansen');
  });
  await given(machine, caller, JANSEN);
  await tellsOutcome(machine, caller, 'Piet Jansen');
}

/** A queue that becomes too busy is said, once, though its callers go on waiting. */
async function queue(machine) {
  const { session, kept: { exchange } } = machine;
  await until('the queue', 30_000, () => session.exists(QUEUE.shown));
  await machine.listen();
  for (const caller of CALLERS.slice(0, 2)) await exchange.customer({ ...caller, to: QUEUE.number });
  await until('a queue that is too busy', 30_000, () => session.exists(`${QUEUE.shown}[data-severity="red"]`));
  await machine.saysOnce('status', `${QUEUE.name}: ${words.live.waiting(2, '0:00')}`);
  await machine.tells(ABOUT, { but: HEAD, words: [QUEUE.name] });
}

/** A queue is found by the keys of a telephone that its name stands on, and takes a caller. */
async function queueByKeys(machine) {
  const { session, kept: { exchange } } = machine;
  const caller = await answered(machine);
  await highlight(session, '55268', '55268');
  await session.press(KEY.down);
  await until(`${QUEUE.name} after the number itself`, 5_000, async () => (await highlighted(session)).includes(QUEUE.number));
  await tellsTarget(machine, QUEUE.name, QUEUE.number);
  await machine.counted('given to a queue', 1, async () => {
    await session.press(KEY.control, KEY.enter);
    await listed(session, caller, QUEUE.name);
  });
  await until(`${caller.name} in the queue, in the books of the exchange`, 20_000, async () => {
    const { queues } = await exchange.ask({ cmd: 'queue.list' });
    return queues.some(({ queue, entries }) => queue.startsWith(QUEUE.number) && JSON.stringify(entries).includes(caller.number));
  });
  await deskHas(machine, 0);
}

export const COUNTED = { name: 'counted', prepare, steps: counted };
