// A small client of the W3C WebDriver protocol: what the window tests need and nothing more.

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** Keys of the protocol that have no character. */
export const KEY = {
  enter: '\uE007',
  escape: '\uE00C',
  shift: '\uE008',
  control: '\uE009',
  alt: '\uE00A',
  tab: '\uE004',
  left: '\uE012',
  up: '\uE013',
  right: '\uE014',
  down: '\uE015',
  f1: '\uE031',
  f2: '\uE032',
  f3: '\uE033',
  f4: '\uE034',
  f5: '\uE035',
  f6: '\uE036',
  f7: '\uE037',
  f8: '\uE038',
  f9: '\uE039',
  f11: '\uE03B',
  f12: '\uE03C',
};

/** Every chord that was pressed in this run, as the program writes it: `Ctrl+Shift+K`, `F2`. */
export const PRESSED = new Set();

function chordOf(keys) {
  const name = (value) => Object.entries(KEY).find(([, code]) => code === value)?.[0] ?? value;
  const named = keys.map(name);
  const modifiers = [['control', 'Ctrl'], ['alt', 'Alt'], ['shift', 'Shift']].filter(([key]) => named.includes(key)).map(([, word]) => word);
  const last = named.at(-1);
  return [...modifiers, last.charAt(0).toUpperCase() + last.slice(1)].join('+');
}

/** What a script does in place of a hand: none of it while keys are counted. */
const BY_HAND = /\.(?:click|focus|blur|dispatchEvent|requestSubmit)\(|\.value = |__TAURI_INTERNALS__/;

/** In the page: takes note of every click that no key made, and of every press of a pointer. */
const WATCH_HANDS = `
  window.hands ??= (() => {
    const seen = [];
    const note = (event) => seen.push(event.type + ' on ' + event.target.outerHTML?.slice(0, 80));
    for (const kind of ['pointerdown', 'mousedown', 'touchstart', 'dblclick']) addEventListener(kind, note, true);
    // A key that presses a button makes a click without a count.
    addEventListener('click', (event) => { if (!event.isTrusted || event.detail > 0) note(event); }, true);
    return seen;
  })();
  window.hands.length = 0;
`;

/** Asks again until it is true or the deadline passes; says what was waited for. Polls, so that nothing depends on luck. */
export async function until(what, deadlineMs, ask) {
  const end = performance.now() + deadlineMs;
  let last;
  for (;;) {
    try {
      const value = await ask();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms for: ${what}${last ? ` (${last.message})` : ''}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A session with a driver that listens already. */
export class Session {
  #base;
  /** Keys that were pressed since counting began; undefined while nothing is counted. */
  #keys;

  constructor(base) {
    this.#base = base;
  }

  /** Opens a session; `capabilities` are those of the driver. */
  static async open(driver, capabilities) {
    const { sessionId } = await call(`${driver}/session`, 'POST', { capabilities: { alwaysMatch: capabilities } });
    const session = new Session(`${driver}/session/${sessionId}`);
    await session.#post('timeouts', { script: 30_000, pageLoad: 30_000, implicit: 0 });
    return session;
  }

  close() {
    return call(this.#base, 'DELETE');
  }

  #post(path, body = {}) {
    return call(`${this.#base}/${path}`, 'POST', body);
  }

  go(url) {
    return this.#post('url', { url });
  }

  handles() {
    return call(`${this.#base}/window/handles`, 'GET');
  }

  /** Goes to the main window. The order of windows is not stable, so their pages tell them apart. */
  enterMain() {
    return this.#enter('the main window', `return !/\\/(incoming|wallboard|queues|lines)\\.html$/.test(location.pathname)`);
  }

  /** Goes to the pop-up. */
  enterPopup() {
    return this.enterWindow('incoming');
  }

  /** Goes to a part of the desk that has a window of its own: `queues` or `lines`. */
  enterPart(name) {
    return this.enterWindow(name);
  }

  /** Goes to the wallboard. */
  enterBoard() {
    return this.enterWindow('wallboard');
  }

  /** Goes to the window that shows the page of this name. */
  enterWindow(name) {
    return this.#enter(`the window of ${name}`, `return location.pathname.endsWith('/${name}.html')`);
  }

  async #enter(what, test) {
    await until(what, 20_000, async () => {
      for (const handle of await this.handles()) {
        // A window may close between being listed and being asked.
        const fits = await this.#post('window', { handle }).then(() => this.run(test)).catch(() => false);
        if (fits) return true;
      }
      return false;
    });
  }

  /** Whether a window shows the page of that path; goes to it. A window that has closed shows none. */
  isAt(handle, path) {
    return this.#post('window', { handle }).then(() => this.run('return location.pathname.endsWith(arguments[0])', path)).catch(() => false);
  }

  /** Moves and sizes the window; waits until it stands so. */
  async place(wanted) {
    await this.#post('window/rect', wanted);
    await until('the window in its new place', 5_000, async () => {
      const { width, height } = await call(`${this.#base}/window/rect`, 'GET');
      return width === wanted.width && height === wanted.height;
    });
  }

  /** Sizes the window so that the page in it is this large. */
  async resizePage(width, height) {
    // The page follows its window when it comes to it, so what lies between the two is asked for anew.
    await until(`a page of ${width} x ${height}`, 10_000, async () => {
      const [innerWidth, innerHeight] = await this.run('return [innerWidth, innerHeight]');
      if (innerWidth === width && innerHeight === height) return true;
      const window = await call(`${this.#base}/window/rect`, 'GET');
      await this.#post('window/rect', { width: window.width + width - innerWidth, height: window.height + height - innerHeight });
      await this.painted();
      return false;
    });
  }

  /**
   * Counts the keys that `steps` presses; a chord is one, and each letter of a word. Fails when anything else than keys was used: a
   * pointer, a click or a focus given by a script, a command given past the page.
   */
  async counting(steps) {
    if (this.#keys !== undefined) throw new Error('keys are being counted already');
    await this.run(WATCH_HANDS);
    this.#keys = 0;
    try {
      await steps();
      const hands = await this.run('return window.hands');
      if (hands.length > 0) throw new Error(`not by keys alone: ${hands.join('; ')}`);
      return this.#keys;
    } finally {
      this.#keys = undefined;
    }
  }

  #keysOnly(what) {
    if (this.#keys !== undefined) throw new Error(`${what} while keys are counted`);
  }

  /** Runs a function body in the page. */
  run(script, ...args) {
    if (BY_HAND.test(script)) this.#keysOnly('a script that acts on the page');
    return this.#post('execute/sync', { script, args });
  }

  /** Runs a function body whose last argument is a callback. */
  runAsync(script, ...args) {
    if (BY_HAND.test(script)) this.#keysOnly('a script that acts on the page');
    return this.#post('execute/async', { script, args });
  }

  async find(selector) {
    const element = await this.#post('element', { using: 'css selector', value: selector });
    return element[ELEMENT];
  }

  async click(selector, deadlineMs = 10_000) {
    this.#keysOnly('a click');
    await until(`something to click at ${selector}`, deadlineMs, async () => {
      await this.#post(`element/${await this.find(selector)}/click`);
      return true;
    });
  }

  /** Gives an element the focus and types into it. */
  async type(selector, text) {
    this.#keysOnly('a focus given by the driver');
    await this.#post(`element/${await this.find(selector)}/value`, { text });
  }

  /** Presses keys together, as a hand does: modifiers down, the key down and up, modifiers up. */
  async press(...keys) {
    PRESSED.add(chordOf(keys));
    if (this.#keys !== undefined) this.#keys += 1;
    const actions = [
      ...keys.map((value) => ({ type: 'keyDown', value })),
      ...keys.toReversed().map((value) => ({ type: 'keyUp', value })),
    ];
    await this.#post('actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
  }

  /** Types a word, letter by letter, to whatever has the focus. */
  async write(text) {
    for (const letter of text) await this.press(letter);
  }

  /** Rests the pointer on the middle of something. */
  async point(selector) {
    await this.#pointer([await this.#over(selector)]);
  }

  /** Presses one thing and moves the pointer to another, without letting go. */
  async drag(from, to) {
    await this.#pointer([await this.#over(from), { type: 'pointerDown', button: 0 }, await this.#over(to)]);
  }

  /** Lets go of the pointer where it is. */
  async letGo() {
    await this.#pointer([{ type: 'pointerUp', button: 0 }]);
  }

  /** Lets go of whatever is pressed. */
  release() {
    return call(`${this.#base}/actions`, 'DELETE');
  }

  async #over(selector) {
    return { type: 'pointerMove', duration: 50, origin: { [ELEMENT]: await this.find(selector) }, x: 0, y: 0 };
  }

  #pointer(actions) {
    this.#keysOnly('a pointer');
    return this.#post('actions', { actions: [{ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions }] });
  }

  /** Role and name of something in the engine's accessibility tree: what a selector finds, or an element that a script gave back. */
  async accessible(which) {
    const element = `${this.#base}/element/${typeof which === 'string' ? await this.find(which) : which[ELEMENT]}`;
    const [role, name] = await Promise.all([call(`${element}/computedrole`, 'GET'), call(`${element}/computedlabel`, 'GET')]);
    return { role, name };
  }

  text(selector) {
    return this.run('return document.querySelector(arguments[0])?.innerText ?? ""', selector);
  }

  exists(selector) {
    return this.run('return document.querySelector(arguments[0]) !== null', selector);
  }

  /** Waits until what the page holds is painted. On a busy machine the page may be ahead. */
  async painted() {
    await this.runAsync('const [done] = arguments; requestAnimationFrame(() => requestAnimationFrame(() => done(null)));');
  }

  /** A picture of the page, PNG bytes. */
  async picture() {
    return Buffer.from(await call(`${this.#base}/screenshot`, 'GET'), 'base64');
  }
}

async function call(url, method, body) {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${value?.error ?? response.status}: ${value?.message ?? ''}`);
  return value;
}
