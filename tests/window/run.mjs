// Drives the real window as a receptionist does: node run.mjs BINARY [NAME...] [--all-looks]
//
// Every test has a private display, session bus and WebKit's driver, and the program with silent sound and a home of its
// own; all are ended by their own ids. The headless program stands beside BINARY. NAMEs choose tests.
// --all-looks has axe-core read every view in every look, which takes its time; else in two that differ in everything.
// BALIE_SHOTS=DIR keeps pictures of every view; BALIE_VIEWS=NAME;… chooses among those of views.mjs.

import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { agent } from './agent.mjs';
import { ALL_LOOKS, axe } from './axe.mjs';
import { COUNTED } from './counted.mjs';
import { desk } from './desk.mjs';
import { elsewhere, nobodyThere } from './elsewhere.mjs';
import { said, withMachine } from './machine.mjs';
import { keys } from './keys.mjs';
import { outside } from './outside.mjs';
import { PLAIN } from './processes.mjs';
import { parts } from './parts.mjs';
import { everyKey, noKeyForgotten } from './everykey.mjs';
import { setup } from './setup.mjs';
import { SIZES_OF_WINDOWS } from './sizes.mjs';
import { targets } from './targets.mjs';
import { transfers } from './transfers.mjs';
import { TROUBLES } from './troubles.mjs';
import { WALK } from './walk.mjs';
import { wallboard } from './wallboard.mjs';

const [program, ...names] = process.argv.slice(2).filter((word) => word !== ALL_LOOKS);
const binary = program === undefined ? undefined : resolve(program);
if (binary === undefined || !existsSync(binary)) {
  console.error('usage: node run.mjs BINARY [NAME...]');
  process.exit(2);
}
const cli = join(dirname(binary), 'balie-cli');
const shots = process.env.BALIE_SHOTS;
if (shots !== undefined) mkdirSync(shots, { recursive: true });

/** Tests at a time: they wait most of the time, for timers and for the web engine's paint. */
const LANES = 2;

const TESTS = [
  { name: 'set-up', steps: setup },
  // As on a machine without a graphics processor, whatever this one has.
  { name: 'desk', args: ['--demo'], env: PLAIN, steps: desk },
  { name: 'elsewhere', args: ['--demo'], before: nobodyThere, steps: elsewhere },
  { name: 'outside', args: ['--demo'], env: { XDG_SESSION_TYPE: 'wayland' }, steps: outside },
  { name: 'transfers', args: ['--demo'], steps: transfers },
  COUNTED,
  { name: 'targets', args: ['--demo'], steps: targets },
  { name: 'keys', args: ['--demo'], steps: keys },
  { name: 'parts', args: ['--demo'], steps: parts },
  { name: 'every key', args: ['--demo'], steps: everyKey },
  { name: 'agent', args: ['--demo'], steps: agent },
  { name: 'wallboard', args: ['--demo'], steps: wallboard },
  ...SIZES_OF_WINDOWS,
  ...TROUBLES,
  ...WALK,
  ...axe(process.argv.includes(ALL_LOOKS)),
  // The last: what no other pressed.
  { name: 'every key: nothing left out', check: noKeyForgotten, whole: true },
];

let failed = 0;

/** A name stands for a test, or for all whose names begin with it and a colon. */
const isMeant = (test) => names.length === 0 || (test.whole !== true && names.some((name) => test.name === name || test.name.startsWith(`${name}:`)));
const unknown = names.filter((name) => !TESTS.some((test) => test.name === name || test.name.startsWith(`${name}:`)));
if (unknown.length > 0) {
  console.error(`no such test: ${unknown.join(', ')}; there are: ${TESTS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

await inLanes(TESTS.filter((test) => isMeant(test) && test.check === undefined));
// What is only counted at the end of others needs no machine.
for (const test of TESTS.filter((test) => isMeant(test) && test.check !== undefined)) await told(test, test.check);
process.exit(failed === 0 ? 0 : 1);

/** Runs tests so many at a time, the longest first. */
async function inLanes(tests) {
  const waiting = tests.toSorted((one, other) => (other.long ?? 0) - (one.long ?? 0));
  const lane = async () => {
    for (let test = waiting.shift(); test !== undefined; test = waiting.shift()) await told(test, () => withMachine({ binary, cli, shots }, test));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Does one test and says what came of it when it has ended, so that two do not speak at once. */
async function told(test, work) {
  const lines = [`window: ${test.name}`];
  const began = performance.now();
  try {
    await said.run(lines, work);
  } catch (error) {
    failed += 1;
    lines.push(`   FAILED  ${error.stack ?? error}`);
  }
  lines.push(`   ${Math.round((performance.now() - began) / 1000)} s`);
  console.log(lines.join('\n'));
}
