// Every view of the program in one list: what axe-core reads, what the keyboard walks through, what pictures are taken of.
//
// A tour is one start of the program. A view says how one gets there and how one leaves; `window` names the window it is in, the
// main one when left out. `fleeting` ones go by themselves, so they are entered anew for each look, those with `stays`
// when what it names is gone, as somebody who has rung for long; those of the `mouse` are nothing for keys. components.mjs tells
// what no view shows.

import { callUp, customerRings, hangUp, inState } from './desk.mjs';
import { Exchange } from './exchange.mjs';
import { customer, pin } from './hand.mjs';
import { KEY, until } from './webdriver.mjs';

const FIELD = '[role="combobox"]';
const REGISTERED = '[data-account-state="registered"]';
const PANEL = '.panel:not([hidden])';
const [TOM, EVA] = ['202', '203'];

const here = (session, what, selector, deadlineMs = 20_000) => until(what, deadlineMs, () => session.exists(selector));
const gone = (session, what, selector, deadlineMs = 20_000) => until(`${what} gone`, deadlineMs, async () => !(await session.exists(selector)));

async function type(session, text) {
  await session.run(`document.querySelector('${FIELD}').focus()`);
  await session.type(FIELD, text);
}

/** Esc until nothing is open, nothing is typed, and the desk is shown. */
async function clear(session) {
  await session.run(`document.querySelector('${FIELD}')?.focus()`);
  await until('a bare desk', 10_000, async () => {
    const bare = await session.run(`return document.querySelector('dialog[open], ${PANEL}, .pane.page, [data-targets], [data-costs], [data-ready], [data-digit]') === null
      && document.querySelector('${FIELD}')?.value === ''`);
    if (bare) return true;
    await session.press(KEY.escape);
    return false;
  });
}

/** In the page: whether the name of whoever is chosen stands in the part of the right column that is seen. Where all is in one column, it is no matter. */
const CARD_IN_SIGHT = `
  const column = document.querySelector('.pane.about');
  if (getComputedStyle(column).overflowY === 'visible') return true;
  const seen = column.getBoundingClientRect();
  const name = document.querySelector('[data-pane="contact"] .name').getBoundingClientRect();
  return name.top >= seen.top && name.bottom <= seen.bottom;
`;

/** Opens everything that can be unfolded. */
const unfold = (session) => session.run(`for (const one of document.querySelectorAll('details')) one.open = true`);

/** The number of something that the demo has, by its kind. */
const demoNumber = (session, kind) => session.runAsync(`
  const [kind, done] = arguments;
  window.__TAURI_INTERNALS__.invoke('control', { request: { cmd: 'view.get' } }).then(
    (view) => done(view.demo.numbers.find((one) => one.kind === kind)?.number ?? null), (error) => done(String(error?.message ?? error)));
`, kind);

/** Whatever calls there are, ends them. */
async function noCalls(session) {
  await until('no call', 30_000, async () => {
    const left = await session.run(`return document.querySelector('article[data-call-state], [data-flow], article.ringing') !== null`);
    if (!left) return true;
    // Only what is there is ended: a key for nothing is answered by words that would stand in the next picture.
    if (await session.exists('[data-flow]')) await session.press(KEY.escape);
    if (await session.exists('article.ringing')) await session.press(KEY.shift, KEY.f2);
    if (await session.exists('article[data-call-state]:not([data-call-state="held"])')) await session.press(KEY.f12);
    else if (await session.exists('article.held [data-act="hangup"]')) await session.click('article.held [data-act="hangup"]');
    return false;
  });
}

async function conversation(session) {
  await noCalls(session);
  await customerRings(session);
  // A key that was on its way when somebody began to ring is not meant for him.
  await until('a caller in conversation', 20_000, async () => {
    await session.press(KEY.f2);
    return session.exists('article[data-call-state="active"]');
  });
}

async function consulting(session) {
  await conversation(session);
  await type(session, EVA);
  await chosen(session, EVA);
  await session.press(KEY.enter);
  await here(session, 'the colleague on the line', '[data-flow="consulting"]');
}

const chosen = (session, number) => until(`${number} chosen`, 5_000, () => session.run(
  `return document.querySelector('[role="option"][aria-selected="true"] .mark')?.innerText === arguments[0]`, number));

const page = (name, key, ready, more) => ({
  name: `page ${name}`,
  enter: async ({ session }) => {
    await session.press(KEY.control, key);
    await here(session, `the page ${name}`, ready, 60_000);
    await more?.(session);
    await unfold(session);
  },
  leave: ({ session }) => clear(session),
});

const overlay = (name, open, ready, more) => ({
  name,
  enter: async ({ session }) => {
    await open(session);
    await here(session, name, ready);
    await more?.(session);
    await unfold(session);
  },
  leave: ({ session }) => clear(session),
});

/** What one sees before there is an account. */
const FIRST_START = [
  { name: 'set-up', enter: ({ session }) => here(session, 'the set-up', '[data-act="demo"]') },
  {
    name: 'set-up automatic',
    enter: async ({ session }) => {
      await session.click('[data-act="auto"]');
      await here(session, 'the form', '[data-act="find"]');
      await unfold(session);
    },
    leave: ({ session }) => session.run(`[...document.querySelectorAll('form .buttons button')].at(0).click()`),
  },
  {
    name: 'set-up by hand',
    enter: async ({ session }) => {
      await session.click('[data-act="own"]');
      await here(session, 'the form', '[name="balie-password"]');
      await unfold(session);
    },
  },
];

/** An account that the exchange refuses. */
const REFUSED = [
  { name: 'account refused', enter: ({ session }) => here(session, 'the refusal', '.band', 30_000) },
  overlay('accounts, refused', (session) => session.click('[data-account-state]'), 'dialog article input[type="password"]'),
  overlay('account form, refused', (session) => session.click('.band button'), 'dialog [name="balie-password"]'),
  {
    name: 'account form',
    enter: ({ session }) => accountForm(session),
    leave: ({ session }) => clear(session),
  },
  {
    name: 'account form, everything in use',
    enter: async ({ session }) => {
      await refusedForm(session);
      await session.run(`
        const exchange = document.querySelector('[data-part="exchange"] select');
        exchange.selectedIndex = exchange.options.length - 1;
        exchange.dispatchEvent(new Event('change', { bubbles: true }));
        document.querySelector('[name="balie-ice"]').click();
      `);
      await here(session, 'the manager interface', '[data-part="exchange"] [type="number"]');
      await session.type('[name="balie-media-turn"]', 'turn.lindeboom.example');
      await here(session, 'the password at the relay', '[name="balie-media-turn_password"]');
    },
    leave: ({ session }) => clear(session),
  },
];

async function refusedForm(session) {
  await session.click('.band button');
  await here(session, 'the form', 'dialog [name="balie-password"]');
  await unfold(session);
}

async function accountForm(session) {
  await session.click('[data-account-state]');
  await here(session, 'the dialog', 'dialog article .row .button');
  await session.run(`[...document.querySelectorAll('dialog article .row .button')].at(1).click()`);
  await here(session, 'the form', 'dialog form');
  await unfold(session);
}

/** The desk with nobody on the line. */
const QUIET = [
  {
    name: 'desk',
    enter: async ({ session }) => {
      await here(session, 'a reachable account', REGISTERED, 60_000);
      await here(session, 'queues', '[data-queue] .figure', 90_000);
      await here(session, 'lamps', '[role="option"].free', 60_000);
      await clear(session);
    },
  },
  {
    name: 'desk as a list',
    enter: ({ session }) => session.run(`document.querySelector('input[type="radio"][value="list"]').click()`),
    leave: ({ session }) => session.run(`document.querySelector('input[type="radio"][value="tiles"]').click()`),
  },
  {
    name: 'search',
    enter: async ({ session }) => {
      await type(session, 'an');
      await here(session, 'results', '[role="option"][aria-selected="true"]');
      await unfold(session);
    },
    leave: ({ session }) => clear(session),
  },
  {
    name: 'search without a result',
    enter: async ({ session }) => {
      await type(session, 'qxzqxz');
      await here(session, 'the word that there is nobody', '.none strong');
    },
    leave: ({ session }) => clear(session),
  },
  {
    name: 'hover card',
    mouse: true,
    enter: async ({ session }) => {
      await session.point('[role="option"]:not([aria-selected="true"]).free');
      await here(session, 'the card', '[data-card]');
    },
    leave: ({ session }) => session.point('header h1'),
  },
  {
    name: 'drag',
    mouse: true,
    enter: async ({ session }) => {
      await session.drag('[role="option"].free', '[role="option"]:nth-child(2)');
      await here(session, 'what is dragged', '.ghost');
    },
    leave: async ({ session }) => {
      await session.press(KEY.escape);
      await session.release();
      // Else a card shows over whatever comes under the pointer.
      await session.point('header h1');
      await clear(session);
    },
  },
  {
    name: 'pinned target',
    enter: async ({ session }) => {
      await type(session, TOM);
      await chosen(session, TOM);
      await pin(session);
      await clear(session);
    },
  },
  {
    name: 'ways to reach somebody',
    enter: async ({ session }) => {
      await type(session, EVA);
      await chosen(session, EVA);
      await session.press(KEY.alt, 'd');
      await here(session, 'the ways', '[data-targets] [data-way]');
    },
    leave: ({ session }) => clear(session),
  },
  {
    name: 'number that costs',
    enter: async ({ session }) => {
      await type(session, '0900-8844');
      await session.press(KEY.enter);
      await here(session, 'the question', '[data-costs]');
    },
    leave: ({ session }) => clear(session),
  },
  {
    name: 'emergency number',
    enter: async ({ session }) => {
      await type(session, '112');
      await here(session, 'the word about help', '[data-help]');
    },
    leave: ({ session }) => clear(session),
  },
  {
    name: 'number laid ready',
    enter: async (machine) => {
      await type(machine.session, 'eva');
      await machine.again(['tel:0301234567']);
      await here(machine.session, 'the number', '[data-ready]');
    },
    leave: ({ session }) => clear(session),
  },
  {
    name: 'what is kept of somebody',
    enter: async ({ session }) => {
      // Whoever walked through the page has left its column scrolled down: another one who is chosen is brought into sight.
      await session.run(`document.querySelector('.pane.about').scrollTop = 100000`);
      await type(session, '0209876543');
      await here(session, 'what is kept', '[data-kept] summary');
      await until('the card in sight', 5_000, () => session.run(CARD_IN_SIGHT));
      await session.click('[data-kept] summary');
      await session.click('[data-kept] [data-act="erase"]');
      await here(session, 'what would go', '[data-kept] [data-act="erase-sure"]');
    },
    leave: async ({ session }) => {
      await session.click('[data-kept] [data-act="erase-sure"]');
      await here(session, 'what was erased', '[data-kept] [role="status"] span');
      await clear(session);
    },
  },
  overlay('keys', (session) => session.press(KEY.f1), '[data-key="answer"]'),
  overlay('looks', (session) => session.click('[data-opens="view"]'), `${PANEL} input`),
  overlay('accounts', (session) => session.click('[data-account-state]'), 'dialog article'),
  overlay('agent', (session) => session.press(KEY.alt, 'a'), `${PANEL} [data-digit-key="1"]`),
  overlay('night', (session) => session.press(KEY.alt, 'n'), `${PANEL} .night, ${PANEL} [data-emergency]`),
];

/** By the number of its key; `pagesIn` says which there must be. */
export const PAGES = {
  supervisor: page('supervisor', '2', '[data-supervised] [data-agent]'),
  wallboard: page('wallboard', '3', '[data-board="queues"]'),
  services: page('services', '4', '[data-service] [role="switch"]'),
  contacts: page('contacts', '5', '[data-act="choose"]'),
};

const MORE_OF_PAGES = [
  {
    name: 'service changed',
    enter: async ({ session }) => {
      await session.press(KEY.control, '4');
      const card = '[data-service="do_not_disturb"]';
      await here(session, 'the service', `${card} [role="switch"]`);
      await session.click(`${card} [role="switch"]`);
      await here(session, 'not disturbed', `${card}[data-state="verified"] [aria-checked="true"]`);
    },
  },
  {
    name: 'not disturbed, at the desk',
    enter: async ({ session }) => {
      await clear(session);
      await here(session, 'the word about it', '[data-line]');
    },
    leave: async ({ session }) => {
      await session.press(KEY.control, '4');
      const card = '[data-service="do_not_disturb"]';
      await session.click(`${card} [role="switch"]`);
      await here(session, 'disturbed again', `${card}[data-state="verified"] [aria-checked="false"]`);
      await clear(session);
      // The exchange leaves an agent unavailable who was not to be disturbed; he asks to be available again.
      await session.press(KEY.alt, 'r');
      await gone(session, 'the word about it', '[data-line]');
    },
  },
  {
    name: 'contacts from a file',
    enter: async ({ session }) => {
      await session.press(KEY.control, '5');
      await here(session, 'the lists', '[data-file]');
      await session.run(`
        const picker = document.querySelector('[data-file]');
        const file = new File(['Naam;Telefoon;Bedrijf\\nJan Jansen;030 1234567;Bakkerij\\nPiet;0611223344;\\n'], 'klanten.csv', { type: 'text/csv' });
        const chosen = new DataTransfer();
        chosen.items.add(file);
        picker.files = chosen.files;
        picker.dispatchEvent(new Event('change', { bubbles: true }));
      `);
      await here(session, 'what is in the file', '[data-preview]');
    },
    leave: ({ session }) => clear(session),
  },
  {
    name: 'address book',
    enter: async ({ session }) => {
      await session.press(KEY.control, '5');
      await session.click('[data-act="add-source"]');
      await here(session, 'the form', '[data-act="save-source"]');
      await unfold(session);
    },
    leave: ({ session }) => clear(session),
  },
];

const CALLS = [
  {
    name: 'ringing',
    enter: async ({ session }) => {
      await noCalls(session);
      await customerRings(session);
    },
    popup: true,
    stays: 'article.ringing',
  },
  {
    name: 'two ringing',
    stays: '[data-ringing="other"]',
    enter: async ({ session }) => {
      await noCalls(session);
      await customerRings(session);
      await customer(session);
      await until('two ringing calls', 20_000, () => session.run(`return document.querySelectorAll('[data-ringing]').length === 2`));
    },
    leave: ({ session }) => noCalls(session),
  },
  {
    name: 'dialling',
    enter: async ({ session }) => {
      await noCalls(session);
      await type(session, await demoNumber(session, 'no_answer'));
      await here(session, 'the number', '[role="option"][aria-selected="true"]');
      await session.press(KEY.enter);
      await here(session, 'the call', 'article[data-call-state="ringing"], article[data-call-state="dialing"], article[data-call-state="trying"]');
    },
    leave: ({ session }) => noCalls(session),
    fleeting: true,
  },
  {
    name: 'call refused',
    enter: async ({ session }) => {
      await noCalls(session);
      await type(session, await demoNumber(session, 'busy'));
      await here(session, 'the number', '[role="option"][aria-selected="true"]');
      await session.press(KEY.enter);
      await here(session, 'the refusal', 'article.over');
    },
    fleeting: true,
  },
  {
    name: 'conversation',
    enter: async ({ session }) => {
      await conversation(session);
      await here(session, 'the quality', '[data-call-state="active"] .quality, [data-call-state="active"] .good, footer .good');
      await unfold(session);
    },
  },
  {
    name: 'keypad',
    enter: async ({ session }) => {
      await session.press(KEY.f5);
      await here(session, 'the keypad', '[data-digit="5"]');
    },
    leave: ({ session }) => clear(session),
  },
  {
    name: 'held',
    enter: async ({ session }) => {
      await session.press(KEY.f6);
      await inState(session, 'held', 10_000);
    },
    leave: ({ session }) => noCalls(session),
  },
  {
    name: 'parked',
    enter: async ({ session }) => {
      await conversation(session);
      await session.press(KEY.f8);
      await here(session, 'the parked caller', '[data-parked]');
    },
    leave: async ({ session }) => {
      await session.press(KEY.shift, KEY.f8);
      await gone(session, 'the parked caller', '[data-parked]');
      await noCalls(session);
    },
  },
  {
    name: 'consultation',
    enter: async ({ session }) => {
      await consulting(session);
      await clear(session);
      await here(session, 'who can listen along', '[data-flow] [data-lock]');
      await unfold(session);
    },
  },
  {
    name: 'conference',
    enter: async ({ session }) => {
      await session.press(KEY.f9);
      await until('three together', 20_000, () => session.run(`return document.querySelectorAll('article[data-call-state="active"]').length >= 2`));
    },
    leave: ({ session }) => noCalls(session),
  },
  {
    name: 'transfer that came back',
    enter: async ({ session }) => {
      await conversation(session);
      await type(session, await demoNumber(session, 'declines'));
      await here(session, 'the number', '[role="option"][aria-selected="true"]');
      await session.press(KEY.control, KEY.enter);
      await here(session, 'the caller back', 'article.held .failed', 60_000);
    },
    leave: ({ session }) => noCalls(session),
  },
  {
    name: 'call of a queue',
    enter: async ({ session }) => {
      await noCalls(session);
      await customer(session, true);
      await here(session, 'a call of the queue', 'article.ringing [data-call-queue]', 45_000);
    },
    popup: true,
    stays: 'article.ringing',
  },
  {
    name: 'outcome of a call',
    enter: async ({ session }) => {
      await until('the call answered', 20_000, async () => {
        await session.press(KEY.f2);
        return session.exists('article[data-call-state="active"]');
      });
      await session.press(KEY.f12);
      await here(session, 'the question', '[data-disposition]', 30_000);
      await gone(session, 'the call', 'article.over', 30_000);
    },
    leave: async ({ session }) => {
      await session.press(KEY.alt, 'u');
      await until('the focus on the outcomes', 5_000, () => session.run(`return document.activeElement?.closest('[data-disposition]') !== null`));
      await session.press('1');
      await gone(session, 'the question', '[data-disposition]');
    },
  },
];

/** More callers than the queue should have; they give up in the end. */
const BUSY_QUEUE = {
  name: 'busy queue',
  enter: async ({ session }) => {
    await noCalls(session);
    for (let caller = 0; caller < 4; caller += 1) await customer(session, true);
    await here(session, 'too many callers', '[data-queue]:not([data-severity="normal"])', 60_000);
  },
};

const role = (name) => ({
  name: `as ${name}`,
  enter: async ({ session }) => {
    await session.run(`document.querySelector('input[type="radio"][value="' + arguments[0] + '"]').click()`, name);
    await here(session, `the layout of the ${name}`, `main.${name}`);
  },
  leave: async ({ session }) => {
    await session.run(`document.querySelector('input[type="radio"][value="receptionist"]').click()`);
    await here(session, 'the layout of the receptionist', 'main.receptionist');
  },
});

/** Windows besides the main one. */
const WINDOWS = [
  {
    name: 'wallboard window',
    window: 'wallboard',
    enter: async ({ session }) => {
      await session.press(KEY.alt, 'w');
      await session.enterWindow('wallboard');
      await here(session, 'the board', '[data-board]');
      await session.enterMain();
    },
    leave: ({ session }) => closePart(session, 'wallboard'),
  },
  ...['queues', 'lines'].map((name) => ({
    name: `${name} window`,
    window: name,
    enter: async ({ session }) => {
      await session.click(`[data-act="${name}-apart"]`);
      await session.enterWindow(name);
      await here(session, `what is in it`, name === 'lines' ? '[role="option"].free' : '[data-queue]', 30_000);
      await session.enterMain();
    },
    leave: ({ session }) => closePart(session, name),
  })),
];

async function closePart(session, name) {
  await session.enterWindow(name);
  // The window may be gone before the driver has let go of the button.
  await session.click('[data-act="close"]', 0).catch(() => undefined);
  await session.enterMain();
  await until(`the window of ${name} gone`, 10_000, async () => {
    for (const handle of await session.handles()) if (await session.isAt(handle, `/${name}.html`)) return false;
    return true;
  });
  await session.enterMain();
}

/** What rings has a window of its own besides. */
const withPopups = (views) => views.flatMap((view) => view.popup !== true ? [view]
  : [view, {
    name: `${view.name}, pop-up`, window: 'incoming', stays: view.stays,
    enter: async (machine) => {
      // A caller may give up just then.
      for (let tries = 0; tries < 3; tries += 1) {
        if (!(await machine.session.exists(view.stays))) await view.enter(machine);
        await here(machine.session, 'a ringing call', view.stays);
        if (await takesKeys(machine.session)) return;
      }
      throw new Error('every caller gave up before the pop-up took keys');
    },
  }]);

/** Keys do not count in the pop-up before it has been there for a short while. Gives back whether they do; not where it has gone. */
async function takesKeys(session) {
  await session.enterWindow('incoming');
  const told = await until('keys that count in the pop-up', 10_000, async () => {
    if (!(await session.exists('[data-act="answer"]'))) return 'gone';
    await session.press(KEY.tab);
    return session.run(`return document.activeElement?.closest('[data-act]') != null`);
  });
  await session.enterMain();
  return told === true;
}

export const TOURS = [
  { name: 'first start', views: FIRST_START },
  {
    name: 'an account refused',
    // Not the sound card of whoever runs this: there is none, and that is said.
    sound: 'system',
    env: { ALSA_CONFIG_PATH: '/dev/null' },
    prepare: async ({ home, processes, cli }) => {
      const exchange = new Exchange(cli, processes, home);
      await exchange.start();
      return { kept: exchange, settings: exchange.account('udp', 'not-the-right-one') };
    },
    views: REFUSED,
  },
  {
    name: 'the desk',
    args: ['--demo'],
    views: [...QUIET, ...Object.values(PAGES), ...MORE_OF_PAGES, ...withPopups(CALLS), BUSY_QUEUE, role('employee'), role('agent'), ...WINDOWS],
  },
];

/** Takes note of the call that a view stays for, so that another one in its place is told from it. */
const mark = ({ session }, { stays }) => (stays === undefined ? undefined : session.run(`document.querySelector(arguments[0])?.setAttribute('data-looked-at', '')`, stays));

/**
 * Goes through the views of a tour; `look` is called at each, in its window, and may come back to the main one. What it is given
 * besides, called in the main window, enters the view anew where it has gone by itself, and says whether it had.
 */
export async function through(machine, views, look) {
  const { session } = machine;
  const wanted = process.env.BALIE_VIEWS?.split(';');
  // The first one waits for the program to be there.
  for (const view of views.filter(({ name }, place) => place === 0 || wanted === undefined || wanted.includes(name))) {
    await session.enterMain();
    await view.enter(machine);
    await mark(machine, view);
    await look(view, async () => {
      const left = view.fleeting === true || (view.stays !== undefined && !(await session.exists(`${view.stays}[data-looked-at]`)));
      if (left) {
        await view.enter(machine);
        await mark(machine, view);
      }
      return left;
    });
    await session.enterMain();
    await view.leave?.(machine);
  }
}

/** Goes to the window that a view is in. */
export async function toWindow(session, view) {
  if (view.window === undefined) return;
  await session.enterWindow(view.window);
}
