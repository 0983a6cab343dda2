// The smallest window that the desk is made for, with text of usual and of double size, comfortable and compact: nothing runs out of it,
// everything that can be used can be brought into sight, and nothing covers the calls, whatever is opened while somebody rings. And the largest: how many colleagues are in sight.

import { join } from 'node:path';
import { company, inside } from './company.mjs';
import { pressButton } from './hand.mjs';
import { freePort } from './processes.mjs';
import { through, TOURS } from './views.mjs';
import { KEY, until } from './webdriver.mjs';

const SMALL = [1024, 700];
const LARGE = [1920, 1080];
const SIZES = [100, 200].flatMap((text) => ['comfortable', 'compact'].map((density) => ({ text, density })));
/** Colleagues that must be in sight at once in the large window, and how many there are. */
const [IN_SIGHT, LINES] = [300, 1_000];

/** Of the tour of the desk, what people look at in the main window. */
const VIEWS = [
  'desk', 'desk as a list', 'search', 'pinned target', 'ways to reach somebody', 'keys', 'looks', 'accounts', 'agent', 'night',
  'page supervisor', 'page wallboard', 'page services', 'page contacts', 'ringing', 'two ringing', 'conversation', 'keypad', 'held', 'parked', 'consultation',
];

/** Chooses as a user does; the choices stay in the page while their panel is closed. */
async function choose(session, { text, density }) {
  for (const value of [String(text), density]) {
    await session.run(`
      const choice = document.querySelector('input[type="radio"][value="' + arguments[0] + '"]');
      if (choice === null) throw new Error('no such choice: ' + arguments[0]);
      if (!choice.checked) choice.click();
    `, value);
  }
  await until(`text of ${text} %, ${density}`, 5_000, () => session.run(`
    const root = document.documentElement;
    return (root.style.fontSize || '100%') === arguments[0] + '%' && root.dataset.density === arguments[1];
  `, String(text), density));
  await session.painted();
}

/** In the page: what does not fit, in words. */
const MISFITS = `
  const wrong = [];
  const root = document.documentElement;
  const what = (one) => (one.getAttribute('aria-label') ?? one.innerText ?? '').trim().replace(/\\s+/g, ' ').slice(0, 40) || one.outerHTML.slice(0, 90);
  for (const one of [root, document.body]) {
    if (one.scrollWidth > innerWidth + 1) wrong.push('the page is ' + one.scrollWidth + ' wide in a window of ' + innerWidth);
  }
  const usable = [...document.querySelectorAll('button, input, select, textarea, a[href], summary, [tabindex]')].filter((one) =>
    one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }) && one.closest('[inert], [aria-hidden="true"]') === null);
  // What is drawn by its label is seen there.
  const drawnBy = (one) => (one.matches('input') && one.getBoundingClientRect().width <= 1 ? one.closest('label') ?? one : one);
  /** The part of a box that no ancestor cuts off. */
  const visible = (one) => {
    let { left, right, top, bottom } = one.getBoundingClientRect();
    for (let parent = one.parentElement; parent !== null; parent = parent.parentElement) {
      const { overflowX, overflowY, position } = getComputedStyle(parent);
      const box = parent.getBoundingClientRect();
      if (overflowX !== 'visible') [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
      if (overflowY !== 'visible') [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
      if (position === 'fixed') break;
    }
    return { left: Math.max(left, 0), right: Math.min(right, innerWidth), top: Math.max(top, 0), bottom: Math.min(bottom, innerHeight) };
  };
  const scrolled = [...document.querySelectorAll('*')].filter((one) => one.scrollTop !== 0 || one.scrollLeft !== 0).map((one) => [one, one.scrollTop, one.scrollLeft]);
  for (const control of usable) {
    const one = drawnBy(control);
    one.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    const box = one.getBoundingClientRect();
    const seen = visible(one);
    const width = Math.max(0, seen.right - seen.left);
    const height = Math.max(0, seen.bottom - seen.top);
    if (width < box.width - 2) wrong.push('cut off at the side, ' + Math.round(width) + ' of ' + Math.round(box.width) + ': ' + what(one));
    // Higher than the window is what scrolls itself.
    else if (height < Math.min(box.height, 24) - 2) wrong.push('not brought into sight: ' + what(one));
  }
  for (const one of document.querySelectorAll('*')) if (one.scrollLeft !== 0 && !['auto', 'scroll'].includes(getComputedStyle(one).overflowX) && !one.matches('input, textarea')) wrong.push('moved sideways: ' + one.className);
  // Nothing lies over the calls, whatever is open.
  const column = document.querySelector('.pane.calls');
  for (const one of column.checkVisibility() ? [column, ...column.querySelectorAll('article, article button')] : []) {
    one.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    const { left, right, top, bottom } = visible(one);
    if (right - left < 2 || bottom - top < 2) { wrong.push('out of sight in the calls: ' + what(one)); continue; }
    const over = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    if (over !== null && !column.contains(over) && !over.contains(column)) wrong.push('over ' + (one === column ? 'the calls' : what(one)) + ' lies ' + over.outerHTML.slice(0, 80));
  }
  for (const one of document.querySelectorAll('*')) if (one.scrollTop !== 0 || one.scrollLeft !== 0) one.scrollTo(0, 0);
  for (const [one, top, left] of scrolled) one.scrollTo(left, top);
  return { wrong: [...new Set(wrong)], count: usable.length };
`;

const OPEN = '.panel:not([hidden]), dialog[open]';
/** What can be opened while somebody rings. */
const OPENED = [
  { name: 'keys', open: (session) => session.press(KEY.f1) },
  { name: 'agent', open: (session) => session.press(KEY.alt, 'a') },
  { name: 'night', open: (session) => session.press(KEY.alt, 'n') },
  { name: 'looks', open: (session) => pressButton(session, '[data-opens="view"]') },
  { name: 'accounts', open: (session) => pressButton(session, '[data-account-state]') },
];

/** Opens one thing after the other while somebody rings, with the largest text; gives back what does not fit then. */
async function openedOverCalls(machine, again) {
  const { session } = machine;
  const found = [];
  for (const size of SIZES.filter(({ text }) => text === 200)) {
    await choose(session, size);
    for (const { name, open } of OPENED) {
      await again();
      await open(session);
      await until(`${name} open`, 5_000, () => session.exists(OPEN));
      await session.painted();
      const ringing = () => session.exists('article.ringing');
      let looked = await session.run(MISFITS);
      if (await again()) looked = await session.run(MISFITS);
      // Whoever gave up in between took the calls along, and nothing was looked at.
      if (!(await ringing())) throw new Error(`nobody rings while ${name} is open`);
      found.push(...looked.wrong.map((one) => `ringing with ${name} open, ${size.text} %, ${size.density}: ${one}`));
      await machine.shot(`size-${size.text}-${size.density}-ringing-${name}`);
      await session.press(KEY.escape);
      await until(`${name} closed`, 5_000, async () => !(await session.exists(OPEN)));
    }
  }
  await choose(session, SIZES[0]);
  if (found.length === 0) machine.passed(`ringing: ${OPENED.map(({ name }) => name).join(', ')} leave the calls in sight with text of 200 %`);
  return found;
}

async function small(machine) {
  const { session } = machine;
  await session.enterMain();
  const wrong = [];
  const tour = TOURS.find(({ name }) => name === 'the desk');
  const views = tour.views.filter(({ name }) => VIEWS.includes(name));
  if (views.length !== VIEWS.length) throw new Error(`of ${VIEWS.length} views there are ${views.length}`);
  await session.resizePage(...SMALL);
  await through(machine, views, async (view, again) => {
    let count = 0;
    const found = [];
    for (const size of SIZES) {
      await choose(session, size);
      if (await again()) await session.painted();
      const looked = await session.run(MISFITS);
      count = looked.count;
      found.push(...looked.wrong.map((one) => `${view.name}, ${size.text} %, ${size.density}: ${one}`));
      await machine.shot(`size-${size.text}-${size.density}-${view.name.replaceAll(' ', '-')}`);
    }
    await choose(session, SIZES[0]);
    if (found.length === 0) machine.passed(`${view.name}: ${count} things to use fit, at every size of text and density`);
    if (view.name === 'ringing') found.push(...(await openedOverCalls(machine, again)));
    wrong.push(...found);
  });
  if (wrong.length > 0) throw new Error(`does not fit ${SMALL.join(' × ')}:\n  ${wrong.join('\n  ')}`);
}

async function crowd({ home, processes, cli }) {
  const file = join(home, 'company.toml');
  const people = company(file, LINES);
  const port = await freePort();
  const exchange = processes.start(cli, ['pbx', '--json', '--listen', `127.0.0.1:${port}`, '--company', file]);
  await until('the exchange', 30_000, async () => {
    if (exchange.child.exitCode !== null) throw new Error(exchange.output());
    return exchange.output().includes('"event":"ready"');
  });
  return {
    kept: { people },
    settings: `[[account]]\nid = "main"\ndisplay_name = "Receptie"\naor = "sip:101@127.0.0.1"\nregistrar = "sip:127.0.0.1:${port};transport=tcp"\npassword = "bench"\n`,
  };
}

async function large(machine) {
  const { session, kept: { people } } = machine;
  await session.enterMain();
  await until('a reachable account', 60_000, () => session.exists('[data-account-state="registered"]'));
  await session.resizePage(...LARGE);
  await inside(session, people);
  await choose(session, { text: 100, density: 'compact' });
  const tiles = () => session.run(`
    return [...document.querySelectorAll('[role="option"]')].filter((tile) => {
      const { left, right, top, bottom } = tile.getBoundingClientRect();
      const whole = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
      const over = whole ? document.elementFromPoint((left + right) / 2, (top + bottom) / 2) : null;
      return over !== null && tile.contains(over) && tile.matches('.free, .busy, .ring');
    }).length;
  `);
  let count = 0;
  await until(`${IN_SIGHT} colleagues with their lamps in sight`, 120_000, async () => (count = await tiles()) >= IN_SIGHT)
    .catch((error) => { throw new Error(`${error.message}, there are ${count}`); });
  await machine.shot('size-large-compact');
  machine.passed(`${count} of ${LINES} colleagues with their lamps in sight, ${LARGE.join(' × ')}, compact`);
  const looked = await session.run(MISFITS);
  if (looked.wrong.length > 0) throw new Error(`does not fit ${LARGE.join(' × ')}:\n  ${looked.wrong.join('\n  ')}`);
}

export const SIZES_OF_WINDOWS = [
  { name: 'sizes: small', args: ['--demo'], steps: small },
  { name: 'sizes: large', display: '2000x1200x24', prepare: crowd, steps: large },
];
