// A person at a browser (headless Chromium over its pipe): opens a page, types the name, the password and the code, and presses on
// until the browser is back at this machine or says that it is done.
//
// usage: node browser.mjs URL NAME CODE FOLDER; prints the address and the text of the last page as JSON.

import { spawn } from 'node:child_process';

const [url, name, code, folder] = process.argv.slice(2);
const browser = spawn(process.env.BALIE_LAB_CHROMIUM ?? 'chromium', [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking',
  '--ignore-certificate-errors', '--remote-debugging-pipe', `--user-data-dir=${folder}`, 'about:blank',
], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
const [, , , out, into] = browser.stdio;
const waiting = new Map();
let [last, rest] = [0, ''];
into.on('data', (part) => {
  rest += part;
  for (let end; (end = rest.indexOf('\0')) >= 0; rest = rest.slice(end + 1)) {
    const message = JSON.parse(rest.slice(0, end));
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  }
});
const ask = (method, params = {}, sessionId = undefined) =>
  new Promise((done) => {
    waiting.set(++last, done);
    out.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
  });

const { result: { targetId } } = await ask('Target.createTarget', { url });
const { result: { sessionId } } = await ask('Target.attachToTarget', { targetId, flatten: true });

/** One look at the page: what is asked for is typed and sent; twice the same page is left alone until it changes. */
const LOOK = `(() => {
  if (document.readyState !== 'complete') return { busy: true };
  const text = document.body?.innerText ?? '';
  const here = { address: location.origin + location.pathname, text };
  const form = document.querySelector('form[method=post], form');
  if (location.hostname === 'localhost' || form === null || window.pressed) return here;
  window.pressed = true;
  for (const [field, value] of [['login', ${JSON.stringify(name)}], ['password', 'geheim'], ['user_code', ${JSON.stringify(code)}]]) {
    const input = form.querySelector('input[name=' + field + ']:not([type=hidden])');
    if (input) input.value = value;
  }
  [...document.querySelectorAll('button[type=submit]')].find((button) => button.name !== 'abort' && button.value !== 'yes')?.click();
  return here;
})()`;

const ends = Date.now() + 60_000;
let page = null;
for (;;) {
  const answer = await ask('Runtime.evaluate', { expression: LOOK, returnByValue: true }, sessionId);
  const found = answer.result?.result?.value;
  if (found?.text !== undefined) page = found;
  const isDone = page !== null && (page.address.startsWith('http://localhost:') || /success/i.test(page.text));
  if (isDone || Date.now() > ends) break;
  await new Promise((done) => setTimeout(done, 100));
}
process.stdout.write(JSON.stringify(page));
await ask('Browser.close');
browser.kill();
