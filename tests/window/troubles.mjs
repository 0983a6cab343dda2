// What goes wrong at a desk, each told in clear words in both languages, with the desk usable afterwards, and all of it mended by the keyboard alone.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { callUp, hangUp } from './desk.mjs';
import { Exchange } from './exchange.mjs';
import { pressButton, speak, wear, writeInto } from './hand.mjs';
import { KEY, until } from './webdriver.mjs';
import { WORDS } from './words.mjs';

const words = WORDS.nl;
const REGISTERED = '[data-account-state="registered"]';
/** A name that no name server may know (RFC 6761). */
const NOWHERE = 'pbx.lindeboom.invalid';
const BROKEN = '[[account]]\nid = "main"\naor = "sip:101@lindeboom.example\n';

/** Reads a message in Dutch and in English, by eye (pictures), by its words, and by axe. */
async function inBothLanguages(machine, name, selector, sentences) {
  for (const [language, theme] of [['en', 'dark'], ['nl', 'light']]) {
    await machine.session.counting(async () => {
      await wear(machine.session, theme);
      await speak(machine.session, language);
    });
    await machine.says(selector, sentences(WORDS[language]));
    await machine.accessible(`${name}, ${language}`);
    await machine.shot(`trouble-${name}-${language}`);
  }
  machine.passed(`${name} is told in both languages`);
}

const both = ({ what, todo }) => `${what}. ${todo}`;

async function reachable(session, deadlineMs = 30_000) {
  await until('a reachable account', deadlineMs, () => session.exists(REGISTERED));
  await until('no band', 5_000, async () => !(await session.exists('.band')));
}

/** The desk still does what a desk is for. */
async function usable(machine, number) {
  const { session } = machine;
  await session.counting(async () => {
    await callUp(session, number);
    await hangUp(session);
  });
  machine.passed('the desk calls and hangs up afterwards');
}

/** An exchange, and the settings of an account on it. */
function accountOnExchange(transport, password) {
  return async ({ home, processes, cli }) => {
    const exchange = new Exchange(cli, processes, home);
    await exchange.start();
    return { kept: exchange, settings: exchange.account(transport, password) };
  };
}

async function wrongPassword(machine) {
  const { session, kept: exchange } = machine;
  await session.enterMain();
  await until('the refusal', 20_000, () => session.exists('[data-account-state="failed"]'));
  await inBothLanguages(machine, 'wrong-password', '.band', (t) => [t.band.title, both(t.codes.auth_failed)]);
  await session.counting(async () => {
    await pressButton(session, '.band button', words.band.check);
    await until('the account form', 5_000, () => session.exists('[name="balie-password"]'));
    await machine.shot('trouble-wrong-password-form');
    await writeInto(session, '[name="balie-password"]', Exchange.PASSWORD);
    await pressButton(session, 'dialog button[type="submit"]');
    await reachable(session, 60_000);
  });
  machine.passed('the right password mends it, without a restart');
  await usable(machine, exchange.numbers.music);
}

async function unknownHost(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('the failure', 30_000, () => session.exists('.band'));
  const sentences = (t) => [t.band.title, both(t.codes.dns_failure), t.band.server(NOWHERE)];
  await inBothLanguages(machine, 'unknown-host', '.band', sentences);
  for (let call = 1; call <= 2; call += 1) {
    await session.press(KEY.control, 'k');
    await session.write('600');
    await session.press(KEY.enter);
    const { what, todo } = words.codes.dns_failure;
    await machine.says('article.over', [what, todo], 30_000);
    const failed = () => session.run(`return document.querySelectorAll('[data-outcome="failed"]').length`);
    await until('the call in the list', 5_000, async () => (await failed()) === call);
  }
  await machine.shot('trouble-unknown-host-call');
  machine.passed('calling says why it cannot be, and may be tried again');
}

async function exchangeGone(machine) {
  const { session, kept: exchange } = machine;
  await session.enterMain();
  await reachable(session);
  await callUp(session, exchange.numbers.music);
  await exchange.kill();
  const call = 'article[data-call-state="active"]';
  await until('the call to be cut off', 20_000, () => session.exists(`${call} .trouble.cut`));
  await machine.says('.band', [words.band.title], 10_000);
  await inBothLanguages(machine, 'exchange-gone', `${call} .trouble`, (t) => [both(t.codes.connection_lost)]);
  await machine.says('.band', [both(words.codes.connection_failed)], 10_000);
  await hangUp(session);
  await exchange.start();
  // By itself it may take up to two minutes; a receptionist does not wait for that.
  await session.counting(() => pressButton(session, '.band button', words.band.retryNow));
  await reachable(session);
  machine.passed('the dead call is hung up, and the account is back when the exchange is');
  await usable(machine, exchange.numbers.music);
}

async function soundGone(machine) {
  const { session, kept: exchange } = machine;
  await session.enterMain();
  await reachable(session);
  await callUp(session, exchange.numbers.music);
  exchange.silence();
  const call = 'article[data-call-state="active"] .trouble';
  await until('the silence to be noticed', 20_000, () => session.exists(call));
  await inBothLanguages(machine, 'sound-gone', call, (t) => [both(t.calls.noSound)]);
  await hangUp(session);
  await exchange.kill();
  await exchange.start();
  // The account stands on an exchange that no longer knows it: signed out and in again, as one would.
  await session.counting(async () => {
    await pressButton(session, '[data-account-state]');
    await pressButton(session, 'dialog article .row .button', words.account.unregister);
    await until('the account signed out', 20_000, () => session.exists('[data-account-state="unregistered"]'));
    await session.press(KEY.escape);
    await pressButton(session, '.band button', words.account.register);
    await reachable(session);
  });
  machine.passed('the silent call is hung up, and signing out and in again mends the rest');
  await usable(machine, exchange.numbers.music);
}

async function noSoundDevice(machine) {
  const { session } = machine;
  await session.enterMain();
  await reachable(session);
  const notice = '[data-code="no_audio_device"]';
  await until('the message', 20_000, () => session.exists(notice));
  const sentences = (t) => [both(t.codes.no_audio_device)];
  await inBothLanguages(machine, 'no-sound-device', notice, sentences);
  // It stands in the column of settings, which scrolls.
  await session.run(`document.querySelector('.problem').scrollIntoView({ block: 'center' })`);
  await machine.says('.problem', sentences(words));
  await session.counting(async () => {
    await pressButton(session, `${notice} button`);
    await until('the message to go', 5_000, async () => !(await session.exists(notice)));
  });
  await machine.says('.problem', sentences(words));
  await usable(machine, '602');
}

/** Another program on the port: TCP and UDP. */
async function takenPort() {
  const other = createServer().listen(0, '0.0.0.0');
  await once(other, 'listening');
  const { port } = other.address();
  const udp = createSocket('udp4').bind(port, '0.0.0.0');
  await once(udp, 'listening');
  for (const socket of [other, udp]) socket.unref();
  return { kept: { port }, settings: `[network]\nsip_port = ${port}\n` };
}

async function portTaken(machine) {
  const { session, kept } = machine;
  await session.enterMain();
  const notice = '[data-code="port_moved"]';
  await until('the message', 20_000, () => session.exists(notice));
  await inBothLanguages(machine, 'port-taken', notice, (t) => [both(t.codes.port_moved), `${kept.port} →`]);
  await reachable(session);
  await usable(machine, '602');
}

async function brokenSettings(machine) {
  const { session } = machine;
  await session.enterMain();
  const notice = '[data-code="bad_config"]';
  await until('the message', 20_000, () => session.exists(notice));
  const sentences = (t) => [both(t.codes.bad_config), 'settings.toml', 'settings.toml.broken'];
  await inBothLanguages(machine, 'broken-settings', notice, sentences);
  assert.equal(readFileSync(join(machine.settings, 'settings.toml.broken'), 'utf8'), BROKEN);
  machine.passed('the broken file is kept to the letter');
  await session.counting(() => pressButton(session, '[data-act="demo"]'));
  await reachable(session);
  await usable(machine, '602');
}

/** One test for each trouble; the program is started anew for each. */
export const TROUBLES = [
  { name: 'wrong password', prepare: accountOnExchange('udp', 'not-the-right-one'), steps: wrongPassword },
  {
    name: 'unknown host',
    prepare: async () => ({ settings: `[[account]]\naor = "sip:101@${NOWHERE}"\npassword = "any"\n` }),
    steps: unknownHost,
  },
  { name: 'exchange gone', prepare: accountOnExchange('tcp', Exchange.PASSWORD), steps: exchangeGone },
  { name: 'sound gone', prepare: accountOnExchange('udp', Exchange.PASSWORD), steps: soundGone },
  {
    name: 'no sound device',
    args: ['--demo'],
    sound: 'system',
    // Not the sound card of whoever runs the tests.
    env: { ALSA_CONFIG_PATH: '/dev/null' },
    steps: noSoundDevice,
  },
  { name: 'port taken', args: ['--demo'], prepare: takenPort, steps: portTaken },
  { name: 'broken settings', prepare: async () => ({ settings: BROKEN }), steps: brokenSettings },
];
