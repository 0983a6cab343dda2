// Which parts of the page were on screen. The list of parts is the page's own source, so that a view which nobody looks at is told.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const UI = fileURLToPath(new URL('../../ui/', import.meta.url));
const { compile } = createRequire(join(UI, 'package.json'))('svelte/compiler');

/** The class that a component's own style gives to what it draws, by component; those without a style draw nothing of their own. */
function marks() {
  const found = new Map();
  for (const name of readdirSync(join(UI, 'src'), { recursive: true }).filter((one) => one.endsWith('.svelte'))) {
    const path = join(UI, 'src', name);
    const { css } = compile(readFileSync(path, 'utf8'), { filename: path, rootDir: UI, generate: 'client' });
    const mark = /svelte-[a-z0-9]+/.exec(css?.code ?? '')?.[0];
    if (mark !== undefined) found.set(mark, name);
  }
  return found;
}

/** The pages that windows show. */
const windows = () => readdirSync(UI).filter((name) => name.endsWith('.html'));

/** Notes what was on screen, and tells what never was. */
export class Seen {
  #left = new Map([...marks(), ...windows().map((name) => [name, name])]);
  /** Every component there is. */
  count = this.#left.size;

  /** Takes note of the page that a session is at. */
  async note(session) {
    const [path, classes] = await session.run(`
      const shown = [...document.querySelectorAll('[class*="svelte-"]')].filter((one) => one.checkVisibility?.() ?? true);
      return [location.pathname, [...new Set(shown.flatMap((one) => [...one.classList]))]];
    `);
    this.#left.delete(path.split('/').at(-1) || 'index.html');
    for (const name of classes) this.#left.delete(name);
  }

  /** Names of what was never there. */
  unseen() {
    return [...this.#left.values()].sort();
  }
}
