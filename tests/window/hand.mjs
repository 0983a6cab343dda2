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

/** Writes into the field that the selector finds, come to by Tab; what stood in it goes. */
export async function writeInto(session, selector, text) {
  await until(`a field at ${selector}`, 10_000, () => session.exists(selector));
  await tabTo(session, selector);
  await session.press(KEY.control, 'a');
  await session.write(text);
}

const PANEL = '.panel:not([hidden])';

/** Opens how the window looks, chooses something there with the arrows, and closes it. */
export async function chooseLook(session, value) {
  await pressButton(session, '[data-opens="view"]');
  await until('how the window looks', 5_000, () => session.exists(PANEL));
  const group = await session.run(`return document.querySelector('.panel input[type="radio"][value="' + arguments[0] + '"]')?.name`, value);
  const choices = `${PANEL} input[name="${group}"]`;
  const values = await session.run('return [...document.querySelectorAll(arguments[0])].map((one) => one.value)', choices);
  const chosen = async () => values.indexOf(await session.run('return document.querySelector(arguments[0] + ":checked")?.value', choices));
  await tabTo(session, choices);
  const wanted = values.indexOf(value);
  // At its ends a group may not lead round.
  for (let at = await chosen(); at !== wanted; at = await chosen()) {
    await session.press(at < wanted ? KEY.right : KEY.left);
    await until('another choice', 5_000, async () => (await chosen()) !== at);
  }
  await session.press(KEY.escape);
  await until('the desk again', 5_000, async () => !(await session.exists(PANEL)));
}

/** Chooses a theme by keys, and waits until the page wears it. */
export async function wear(session, theme) {
  await chooseLook(session, theme);
  await until(`the ${theme} theme`, 5_000, async () => (await session.run('return document.documentElement.dataset.theme')) === theme);
}

/** Chooses a language by keys, and waits until the page speaks it. */
export async function speak(session, language) {
  await chooseLook(session, language);
  await until(`the page in ${language}`, 5_000, async () => (await session.run('return document.documentElement.lang')) === language);
}
