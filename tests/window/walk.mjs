// The keyboard alone, on every view: Tab comes to everything that can be used, the focus is always seen, nothing keeps it, and what is
// seen stands in the engine's accessibility tree, with the same words.

import { through, TOURS, toWindow } from './views.mjs';
import { KEY } from './webdriver.mjs';

/** Thinnest ring around what has the focus, pixels. */
const RING = 2;

/** In the page: what a Tab must come to. Marks each with a number; radio buttons of one group count as one. */
const STOPS = `
  const top = document.querySelector('dialog[open]') ?? document.body;
  const usable = [...top.querySelectorAll('button, input, select, textarea, a[href], summary, [tabindex]')].filter((one) =>
    one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }) && one.closest('[inert], [aria-hidden="true"]') === null);
  const groups = new Map();
  const stops = [];
  for (const one of usable) {
    if (one.type === 'radio') {
      const group = one.name;
      const had = groups.get(group);
      if (had !== undefined && !one.checked) continue;
      if (had !== undefined) stops.splice(stops.indexOf(had), 1);
      groups.set(group, one);
    }
    stops.push(one);
  }
  window.walked = { stops, visited: new Set() };
  return stops.map((one) => (one.getAttribute('aria-label') ?? (one.labels?.[0]?.innerText || one.innerText) ?? one.name ?? '').trim().slice(0, 40) || one.outerHTML.slice(0, 80));
`;

/** In the page: takes note of what has the focus; gives back what is wrong with how it is seen, or null. */
const VISIT = `
  const [least] = arguments;
  const { stops, visited } = window.walked;
  const one = document.activeElement;
  if (one === null || one === document.body || one === document.documentElement) return { place: -1, wrong: null };
  visited.add(one);
  for (const stop of stops) if (stop.type === 'radio' && one.type === 'radio' && stop.name === one.name) visited.add(stop);
  const what = one.outerHTML.slice(0, 120);
  // A radio button or box that is drawn by its label is seen there.
  const drawn = [one, one.closest('label'), one.parentElement, one.closest('.field')].filter((part) => part !== null);
  const ring = drawn.some((part) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(part);
    return (outlineStyle !== 'none' && parseFloat(outlineWidth) >= least) || (part !== one && boxShadow !== 'none');
  });
  const box = (one.matches('.hidden') ? one.closest('label') ?? one : one).getBoundingClientRect();
  const inside = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  // A window that came up without the focus draws none.
  return { place: stops.indexOf(one), wrong: !ring && document.hasFocus() ? 'no ring: ' + what : !inside ? 'out of sight: ' + what : null };
`;

const LEFT = `const { stops, visited } = window.walked; return stops.map((one, place) => (visited.has(one) || !one.isConnected || one.disabled ? -1 : place)).filter((place) => place >= 0)`;

/** Walks through one view; gives back what is wrong. */
async function walk(session) {
  const names = await session.run(STOPS);
  // What has the focus at the beginning was come to already.
  const wrong = new Set();
  await session.run(VISIT, 0);
  // Twice around at most: what comes and goes by itself may be met late.
  const most = names.length * 2 + 10;
  let steps = 0;
  for (; steps < most; steps += 1) {
    await session.press(KEY.tab);
    let at = await session.run(VISIT, RING);
    if (at.wrong !== null) {
      // What scrolls into sight is there with the next picture.
      await session.painted();
      at = await session.run(VISIT, RING);
    }
    if (at.wrong !== null) wrong.add(at.wrong);
    if (steps >= names.length - 1 && (await session.run(LEFT)).length === 0) break;
  }
  for (const place of await session.run(LEFT)) wrong.add(`Tab does not come to "${names[place]}"`);
  // Back again: whoever went too far gets back.
  const before = await session.run('return document.activeElement?.outerHTML ?? ""');
  await session.press(KEY.shift, KEY.tab);
  await session.press(KEY.tab);
  const after = await session.run('return document.activeElement?.outerHTML ?? ""');
  if (before.slice(0, 60) !== after.slice(0, 60)) wrong.add(`Shift+Tab and Tab lead elsewhere: ${before.slice(0, 60)} | ${after.slice(0, 60)}`);
  return { count: names.length, wrong: [...wrong] };
}

/** What a sighted user reads of people, calls and queues, and by which role a screen reader must have it. */
const READ = [
  { what: 'tiles', selector: '[role="option"]', role: 'option', most: 8 },
  { what: 'calls', selector: 'article[data-call-state], article.ringing, [data-flow]', role: 'article', most: 4 },
  { what: 'buttons of calls', selector: 'article [data-act]:not(:disabled)', role: 'button', most: 12 },
  { what: 'pages', selector: '[data-page]', role: 'button', most: 6 },
  { what: 'switches', selector: '[role="switch"]', role: 'switch', most: 6 },
];

const plain = (text) => text.replaceAll(/\s+/g, ' ').trim();

/** In the page: words that are seen in an element, without those that only keys and symbols show. */
const WORDS_OF = `
  const [selector, most] = arguments;
  return [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility({ visibilityProperty: true })).slice(0, most).map((one, place) => {
    one.dataset.read = String(place);
    const copy = one.cloneNode(true);
    for (const part of copy.querySelectorAll('[aria-hidden="true"], kbd, .hidden')) part.remove();
    return copy.textContent;
  });
`;

/** Words that are seen and stand nowhere in what is told; times apart. */
const untold = (seen, told) => plain(seen).split(' ').filter((word) => /[\p{L}\p{N}]{2}/u.test(word) && !/^\d+:\d\d$/.test(word) && !told.includes(word)).join(' ');

/** Asks the engine's accessibility tree; gives back what is missing there, in words. */
async function read(session) {
  const wrong = [];
  let count = 0;
  for (const { what, selector, role, most } of READ) {
    const seen = await session.run(WORDS_OF, selector, most);
    for (const [place, words] of seen.entries()) {
      const at = `${selector.split(',').map((one) => `${one.trim()}[data-read="${place}"]`).join(', ')}`;
      const told = await session.accessible(at).catch(() => undefined);
      // It may have gone meanwhile, as calls do.
      if (told === undefined) continue;
      count += 1;
      if (told.role.toLowerCase() !== role) wrong.push(`${what}: "${plain(words)}" is told as ${told.role}`);
      if (told.name.trim() === '') wrong.push(`${what}: "${plain(words)}" has no name`);
      // A tile is one thing: everything in it must be said.
      if (role === 'option') {
        let [missing, name] = [untold(words, told.name), told.name];
        if (missing !== '') {
          // A lamp may have changed between the two looks.
          await session.painted();
          const again = await session.run(WORDS_OF, selector, most);
          name = (await session.accessible(at).catch(() => undefined))?.name ?? name;
          missing = untold(again[place] ?? '', name);
        }
        if (missing !== '') wrong.push(`${what}: "${missing}" is seen and not told in "${name}"`);
      }
    }
  }
  const queues = await session.run(`return [...document.querySelectorAll('[data-queue]')].filter((one) => one.checkVisibility()).map((one) => [one.innerText, one.textContent, one.closest('ul, ol, table') !== null])`);
  for (const [seen, told, listed] of queues) {
    count += 1;
    if (!listed) wrong.push(`queues: "${plain(seen)}" stands in no list`);
    if (!/\p{L}/u.test(told)) wrong.push(`queues: "${plain(seen)}" has no words`);
  }
  return { count, wrong };
}

async function inView(session, view) {
  await toWindow(session, view);
  const told = await read(session);
  const walked = view.fleeting === true ? { count: 0, wrong: [] } : await walk(session);
  return { told, walked, found: [...walked.wrong, ...told.wrong] };
}

const tour = ({ views, ...start }) => ({
  ...start,
  name: `walk: ${start.name}`,
  steps: async (machine) => {
    const { session } = machine;
    await session.enterMain();
    const wrong = [];
    await through(machine, views, async (view, again) => {
      // A drag is a hand on the mouse; a card is what the pointer rests on, and the right column has the same.
      if (view.mouse === true) return;
      let { told, walked, found } = await inView(session, view);
      // A caller who gave up took the view along; what was found, or was not there to be found, then says nothing of it.
      const doubtful = () => view.fleeting !== true && (found.length > 0 || walked.count === 0);
      // What was wrong counts when it is wrong again: much is on its way while this looks.
      for (let more = 0; doubtful() && more < 3; more += 1) {
        await session.enterMain();
        if (!(await again()) && more > 0) break;
        ({ told, walked, found } = await inView(session, view));
      }
      if (doubtful() && walked.count === 0) found.push('nothing that Tab could come to');
      wrong.push(...found.map((one) => `${view.name}: ${one}`));
      if (found.length === 0) machine.passed(`${view.name}: Tab comes to all ${walked.count}, the focus is seen; ${told.count} things told as they are seen`);
      if (view.window === undefined) await session.run(`document.querySelector('[role="combobox"]')?.focus()`);
    });
    if (wrong.length > 0) throw new Error(`by keyboard alone:\n  ${wrong.join('\n  ')}`);
  },
});

export const WALK = TOURS.map(tour);
