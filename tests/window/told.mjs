// What a screen reader has of the page beside what is seen of it: the engine's accessibility tree against the painted words, both
// ways, and what the live regions say.

import { until } from './webdriver.mjs';

/**
 * In the page: what a selector finds, in pieces, in the order of the page. A piece is a control (it and its name speak for all in it),
 * something with a name of its own, or a text. Null where there is nothing.
 */
const PIECES = `
  const [selector, but] = arguments;
  const top = document.querySelector(selector);
  if (top === null || !top.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return null;
  const CONTROL = 'button, a[href], summary, input, select, textarea, [role="option"], [role="switch"], [role="button"], [role="radio"], [role="checkbox"], [role="tab"], [role="combobox"], [role="img"], [role="meter"]';
  const plain = (text) => text.replace(/\\s+/g, ' ').trim();
  // Words for a screen reader alone are a box of one pixel that is clipped away.
  const clipped = (one) => {
    const { width, height } = one.getBoundingClientRect();
    return width <= 1 && height <= 1 && getComputedStyle(one).overflow !== 'visible';
  };
  const isSeen = (text) => {
    const parent = text.parentElement;
    if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
    for (let one = parent; one !== null && one !== top.parentElement; one = one.parentElement) if (clipped(one)) return false;
    const range = document.createRange();
    range.selectNodeContents(text);
    return [...range.getClientRects()].some(({ width, height }) => width > 1 && height > 1);
  };
  const isShut = (one) => one.closest('[aria-hidden="true"], [inert]') !== null || !one.checkVisibility({ visibilityProperty: true });
  const texts = (one) => {
    const found = [];
    const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (plain(walker.currentNode.data) !== '') found.push(walker.currentNode);
    return found;
  };
  const words = (list) => plain(list.map(({ data }) => data).join(' '));
  const isKey = (text) => text.parentElement.closest('kbd') !== null;
  const pictured = (one) => [...one.querySelectorAll('svg, img')].some((picture) => picture.getBoundingClientRect().width > 1);
  // What draws itself and has its words beside it.
  const DRAWN = 'input, select, textarea, [role="switch"], [role="meter"]';
  const pieces = [];
  const take = (one) => {
    if (one.nodeType === Node.TEXT_NODE) {
      if (plain(one.data) === '' || isKey(one)) return;
      const seen = isSeen(one);
      const told = !isShut(one.parentElement);
      // What is empty of both is nothing to anybody.
      if (seen || told) pieces.push({ kind: 'text', seen: seen ? plain(one.data) : '', told: told ? plain(one.data) : '', beside: pictured(one.parentElement.parentElement ?? one.parentElement) || plain((one.parentElement.parentElement ?? one.parentElement).innerText) !== plain(one.data) });
      return;
    }
    if (one.nodeType !== Node.ELEMENT_NODE || ['STYLE', 'SCRIPT', 'svg'].includes(one.tagName) || one.matches(but)) return;
    if (one.matches(CONTROL)) {
      if (!one.checkVisibility({ visibilityProperty: true })) return;
      const inside = texts(one).filter((text) => !isKey(text));
      pieces.push({
        kind: 'control', element: one, shut: isShut(one), seen: words(inside.filter(isSeen)), drawn: one.matches(DRAWN), value: one.getAttribute('aria-valuetext') ?? '',
        pictured: pictured(one), html: one.outerHTML.slice(0, 120), shown: !clipped(one) || one.closest('label') !== null,
      });
      return;
    }
    if (one.hasAttribute('aria-label')) {
      const kept = texts(one).filter((text) => !isKey(text) && isSeen(text));
      const whole = one.childElementCount === 0;
      pieces.push({ kind: 'named', element: one, whole, shut: isShut(one), seen: words(kept), html: one.outerHTML.slice(0, 120) });
      // A short text with a name is told by its name; around other things the name stands beside them.
      if (whole) return;
    }
    for (const child of one.childNodes) take(child);
  };
  take(top);
  const keys = [...top.querySelectorAll('.keys')].filter((one) => one.checkVisibility({ visibilityProperty: true }))
    .map((one) => [...one.querySelectorAll('kbd')].map((key) => key.textContent));
  const shortcuts = [top, ...top.querySelectorAll('[aria-keyshortcuts]')].flatMap((one) => (one.getAttribute('aria-keyshortcuts') ?? '').split(' '));
  return { pieces, keys, shortcuts, top, all: words(texts(top).filter(isSeen)) };
`;

const NAMES_OF_KEYS = { '⇧': 'Shift', Ctrl: 'Control', Esc: 'Escape', '⌘': 'Meta', '⌥': 'Alt', '⌃': 'Control' };

/** Words with letters or digits, without what runs: a clock goes on between two looks. */
const wordsOf = (text) => text.toLowerCase().replaceAll(/\d+:\d\d(?::\d\d)?/g, '#').split(/[^\p{L}\p{N}#+]+/u).filter((word) => /[\p{L}\p{N}#]/u.test(word));

/** Words of one text that the other does not have. */
function lacking(text, other) {
  const had = new Set(wordsOf(other));
  return wordsOf(text).filter((word) => !had.has(word)).join(' ');
}

/** What is seen and not told, or told and not seen, in words; and how much was looked at. */
async function compare(session, selector, but) {
  const found = await session.run(PIECES, selector, but);
  if (found === null) return { wrong: [`${selector}: nothing is seen there`], count: 0, told: '' };
  const { pieces, keys, shortcuts, top, all: inPlace } = found;
  const wrong = [];
  const told = [];
  /** Seen words that no assistive technology is given where they stand: a head of a table whose rows say it themselves. */
  const elsewhere = [];
  for (const piece of pieces) {
    if (piece.kind === 'text') {
      told.push(piece.told);
      if (piece.told === '') elsewhere.push(piece.seen);
      if (piece.seen === '' && !piece.beside) wrong.push(`"${piece.told}" is told, and nothing is seen there`);
      continue;
    }
    const { role, name } = await session.accessible(piece.element);
    told.push(name, piece.value ?? '');
    if (piece.shut) wrong.push(`kept from the tree: ${piece.html}`);
    if (piece.kind === 'control') wrong.push(...wrongWithControl(piece, role, name));
    // A switch is told by the words that stand beside it; a field may have more to say than there is room for.
    if (role.toLowerCase() === 'switch' && lacking(name, inPlace) !== '') wrong.push(`"${lacking(name, inPlace)}" of "${name}" is told and not seen: ${piece.html}`);
    if (piece.kind === 'control') continue;
    wrong.push(...wrongWithName(piece, role, name));
  }
  const all = told.join(' ');
  for (const words of elsewhere) {
    const missing = lacking(words, all);
    if (missing !== '') wrong.push(`"${missing}" of "${words}" is seen and not told`);
  }
  for (const caps of keys) {
    const chord = caps.map((key) => NAMES_OF_KEYS[key] ?? key).join('+');
    if (!shortcuts.includes(chord)) wrong.push(`the key ${chord} is seen and not told`);
  }
  const whole = await session.accessible(top);
  return { wrong, count: pieces.length, told: `${whole.name} ${all}`, role: whole.role.toLowerCase() };
}

function wrongWithControl({ seen, pictured, drawn, shown, html }, role, name) {
  const wrong = [];
  // For what unfolds there is a role in the engine and none in ARIA, by which the driver could name it.
  if (!html.startsWith('<summary') && ['', 'none', 'generic', 'presentation'].includes(role.toLowerCase())) wrong.push(`told as nothing: ${html}`);
  if (wordsOf(name).length === 0) wrong.push(`without a name: ${html}`);
  const missing = lacking(seen, name);
  if (missing !== '') wrong.push(`"${missing}" is seen and not told in "${name}"`);
  if (!shown) wrong.push(`"${name}" is told, and nothing is seen of it`);
  // A name is read off the words or stands for a picture, which an arrow or a cross is too.
  const shared = wordsOf(name).some((word) => wordsOf(seen).includes(word));
  const sign = seen !== '' && wordsOf(seen).length === 0;
  if (!pictured && !drawn && !shared && !sign) wrong.push(`"${name}" is told where "${seen}" is seen`);
  return wrong;
}

function wrongWithName({ seen, whole, html }, role, name) {
  if (whole) {
    const missing = lacking(seen, name);
    return missing === '' ? [] : [`"${missing}" is seen and not told in "${name}" (${role}): ${html}`];
  }
  if (['', 'none', 'presentation'].includes(role.toLowerCase())) return [`a name for nothing: ${html}`];
  return wordsOf(seen).length === 0 ? [`"${name}" is told around nothing that is seen: ${html}`] : [];
}

/**
 * Fails unless what is seen of what the selector finds is told, and what is told is seen. `role`: as what it must be told; `words`:
 * what must be in it; `but`: what is left out. Looks again until the deadline, as a page changes between two looks.
 */
export async function tells(session, selector, { role, words = [], but = ':not(*)', deadlineMs = 5_000 } = {}) {
  let last = { wrong: [] };
  const good = async () => {
    last = await compare(session, selector, but);
    if (role !== undefined && last.role !== role) last.wrong.push(`told as ${last.role}, not as ${role}`);
    for (const part of words) {
      const missing = lacking(part, last.told);
      if (missing !== '') last.wrong.push(`"${missing}" is not told`);
    }
    return last.wrong.length === 0;
  };
  await until(`${selector} told as it is seen`, deadlineMs, good).catch(() => {
    throw new Error(`${selector} is not told as it is seen:\n  ${last.wrong.join('\n  ')}`);
  });
  return last.count;
}

/** In the page: takes note of everything that a live region says from now on. */
const LISTEN = `
  window.heard ??= (() => {
    const said = [];
    const last = new WeakMap();
    const plain = (text) => text.replace(/\\s+/g, ' ').trim();
    const listen = (first) => {
      for (const region of document.querySelectorAll('[role="alert"], [role="status"], [role="log"], [aria-live="polite"], [aria-live="assertive"]')) {
        const text = plain(region.textContent);
        if (text === last.get(region)) continue;
        // Most screen readers say nothing of a status that comes with its words.
        const fresh = !last.has(region);
        last.set(region, text);
        const alert = region.matches('[role="alert"], [aria-live="assertive"]');
        if (text !== '' && !first && (!fresh || alert)) said.push({ how: alert ? 'alert' : 'status', text });
      }
    };
    listen(true);
    new MutationObserver(() => listen(false)).observe(document.body, { subtree: true, childList: true, characterData: true });
    return said;
  })();
  window.heard.length = 0;
`;

/** From now on what is said is kept for `heard`. */
export const listen = (session) => session.run(LISTEN);

/** What was said since `listen`: [{ how: 'alert' | 'status', text }]. */
export const heard = (session) => session.run('return window.heard');

/** Waits until it was said how it should be; fails when anything was said twice since `listen`, clocks apart. */
export async function saysOnce(session, how, sentence, deadlineMs = 10_000) {
  const bare = (text) => text.replaceAll(/\d+:\d\d/g, '#');
  await until(`"${sentence}" said`, deadlineMs, async () =>
    (await heard(session)).some((one) => one.how === how && bare(one.text).includes(bare(sentence)))).catch(async (error) => {
    throw new Error(`${error.message}; said was ${JSON.stringify(await heard(session))}`);
  });
  const said = (await heard(session)).map(({ text }) => bare(text));
  const containing = said.filter((text) => text.includes(bare(sentence)));
  if (containing.length > 1) throw new Error(`"${sentence}" was said ${containing.length} times: ${JSON.stringify(said)}`);
  const twice = said.find((text, place) => said.indexOf(text) !== place);
  if (twice !== undefined) throw new Error(`said twice: "${twice}" among ${JSON.stringify(said)}`);
}
