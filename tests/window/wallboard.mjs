// The wallboard in its own window: opened by its key, followed live, full screen and back, closed by Esc, found again where it was left.

import { KEY, until } from './webdriver.mjs';
import { WORDS } from './words.mjs';

const BOARD = '[data-board]';

export async function wallboard(machine) {
  const { session } = machine;
  await session.enterMain();
  await until('queues at the desk', 60_000, () => session.exists('[data-queue]'));
  const names = await session.run(`return [...document.querySelectorAll('[data-queue] .name b')].map((one) => one.innerText)`);
  await openBoard(machine);
  for (const name of names) await until(`the queue ${name}`, 10_000, async () => (await session.text(BOARD)).includes(name));
  machine.passed('Alt+W opens the wallboard in a window of its own, with every queue of the desk');
  await machine.accessible('wallboard');
  await machine.shot('wallboard-light');
  await fullScreen(machine);
  await closed(machine);
  await again(machine);
}

/** Opens it by its key, in the main window. */
async function openBoard(machine) {
  const { session } = machine;
  await session.enterMain();
  await session.press(KEY.alt, 'w');
  await session.enterBoard();
  await until('the board', 20_000, () => session.exists(BOARD));
}

const fills = (session, on) => until(`full screen ${on}`, 10_000, async () =>
  (await session.run(`return document.querySelector('main').dataset.full`)) === String(on));

async function fullScreen(machine) {
  const { session } = machine;
  const size = () => session.run('return [innerWidth, innerHeight, screen.width, screen.height]');
  await session.press(KEY.f11);
  await fills(session, true);
  await until('the whole screen', 10_000, async () => {
    const [width, height, screenWidth, screenHeight] = await size();
    return width === screenWidth && height === screenHeight;
  });
  await machine.shot('wallboard-full');
  await session.press(KEY.escape);
  await fills(session, false);
  await until('a part of the screen', 10_000, async () => {
    const [width, height, screenWidth, screenHeight] = await size();
    return width < screenWidth || height < screenHeight;
  });
  machine.passed('F11 fills the screen, Esc leaves it');
}

async function closed(machine) {
  const { session } = machine;
  const before = (await session.handles()).length;
  await closeByEsc(session);
  await until('one window fewer', 10_000, async () => (await session.handles()).length === before - 1);
  await session.enterMain();
  await machine.says('[data-account-state]', [WORDS.nl.account.registered]);
  machine.passed('Esc closes it, and the desk goes on');
}

/** Moved and made smaller, closed, and opened anew. */
async function again(machine) {
  const { session } = machine;
  await openBoard(machine);
  await session.place({ x: 140, y: 90, width: 700, height: 480 });
  const left = await session.run('return [innerWidth, innerHeight]');
  await closeByEsc(session);
  await session.enterMain();
  await openBoard(machine);
  await until('its old size', 10_000, async () => String(await session.run('return [innerWidth, innerHeight]')) === String(left));
  machine.passed(`it comes up as it was left, ${left.join(' x ')}`);
  await closeByEsc(session);
  await session.enterMain();
}

/** The window may be gone before the driver has let go of the key. */
async function closeByEsc(session) {
  await session.press(KEY.escape).catch(() => undefined);
}
