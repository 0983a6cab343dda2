// Drives the real window as a receptionist does: node run.mjs BINARY [NAME...]
//
// Every test has a private display, session bus and WebKit's driver, and the program with silent sound and a home of its
// own; all are ended by their own ids. The headless program stands beside BINARY. NAMEs choose tests.
// BALIE_SHOTS=DIR keeps pictures of every view.

import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { agent } from './agent.mjs';
import { desk } from './desk.mjs';
import { elsewhere, nobodyThere } from './elsewhere.mjs';
import { withMachine } from './machine.mjs';
import { keys } from './keys.mjs';
import { outside } from './outside.mjs';
import { parts } from './parts.mjs';
import { setup } from './setup.mjs';
import { targets } from './targets.mjs';
import { transfers } from './transfers.mjs';
import { TROUBLES } from './troubles.mjs';
import { wallboard } from './wallboard.mjs';

const [program, ...names] = process.argv.slice(2);
const binary = program === undefined ? undefined : resolve(program);
if (binary === undefined || !existsSync(binary)) {
  console.error('usage: node run.mjs BINARY [NAME...]');
  process.exit(2);
}
const cli = join(dirname(binary), 'balie-cli');
const shots = process.env.BALIE_SHOTS;
if (shots !== undefined) mkdirSync(shots, { recursive: true });

const TESTS = [
  { name: 'set-up', steps: setup },
  { name: 'desk', args: ['--demo'], steps: desk },
  { name: 'elsewhere', args: ['--demo'], before: nobodyThere, steps: elsewhere },
  { name: 'outside', args: ['--demo'], env: { XDG_SESSION_TYPE: 'wayland' }, steps: outside },
  { name: 'transfers', args: ['--demo'], steps: transfers },
  { name: 'targets', args: ['--demo'], steps: targets },
  { name: 'keys', args: ['--demo'], steps: keys },
  { name: 'parts', args: ['--demo'], steps: parts },
  { name: 'agent', args: ['--demo'], steps: agent },
  { name: 'wallboard', args: ['--demo'], steps: wallboard },
  ...TROUBLES,
];

const unknown = names.filter((name) => !TESTS.some((test) => test.name === name));
if (unknown.length > 0) {
  console.error(`no such test: ${unknown.join(', ')}; there are: ${TESTS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

let failed = 0;
for (const test of TESTS.filter(({ name }) => names.length === 0 || names.includes(name))) {
  console.log(`window: ${test.name}`);
  try {
    await withMachine({ binary, cli, shots }, test);
  } catch (error) {
    failed += 1;
    console.error(`   FAILED  ${error.stack ?? error}`);
  }
}
process.exit(failed === 0 ? 0 : 1);
