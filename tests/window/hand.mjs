// What the scenarios do without a mouse: commands for what only a fixture does, and the keyboard for what a user does.

import { KEY, until } from './webdriver.mjs';

/** A command of the program, as the page gives it. */
const CONTROL = `
  const [request, done] = arguments;
  window.__TAURI_INTERNALS__.invoke('control', { request }).then((ok) => done({ ok }), (error) => done({ error: error?.code ?? String(error) }));
`;

/** Gives the program a command past the page; what it answers. */
export async function control(session, request) {
  const { ok, error } = await session.runAsync(CONTROL, request);
  if (error !== undefined) throw new Error(`${request.cmd}: ${error}`);
  return ok;
}

/** Lets a customer of the demo ring, or stand in the queue. */
export const customer = (session, queue = false) => control(session, { cmd: 'demo.customer', queue });

/** More stops than any view has. */
const MOST = 400;

/** Presses Tab until the focus is on what the selector finds; of several, on the one whose words hold the text. */
export async function tabTo(session, selector, text = '') {
  const there = () => session.run('return document.activeElement?.matches(arguments[0]) === true && document.activeElement.innerText.includes(arguments[1])', selector, text);
  for (let stops = 0; stops < MOST; stops += 1) {
    if (await there()) return;
    await session.press(KEY.tab);
  }
  throw new Error(`Tab does not come to ${selector} ${text}`);
}

/** Goes to a button by Tab and presses it. */
export async function pressButton(session, selector, text = '') {
  await until(`something to press at ${selector}`, 10_000, () => session.exists(selector));
  await tabTo(session, selector, text);
  await session.press(KEY.enter);
}

/** Pins the highlighted one. */
export async function pin(session, place = 1) {
  await pressButton(session, '[data-act="pin"]');
  await until(`pinned target ${place}`, 5_000, () => session.exists(`[data-pin="${place}"]`));
}
