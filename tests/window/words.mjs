// The words of the window in both languages, from its own tables: no test writes a sentence of the program twice.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const UI = fileURLToPath(new URL('../../ui/', import.meta.url));
const typescript = createRequire(join(UI, 'package.json'))('typescript');

/** The address of a table of words as a module. At run time a table imports nothing but other tables, so that it is
 * read without a bundler. */
function module(name) {
  const source = readFileSync(join(UI, 'src/i18n', `${name}.ts`), 'utf8');
  const { outputText } = typescript.transpileModule(source, {
    compilerOptions: { module: 'esnext', target: 'es2022' },
  });
  const whole = outputText.replace(/from '\.\/([a-z.]+)'/g, (_, other) => `from '${module(other)}'`);
  return `data:text/javascript;base64,${Buffer.from(whole).toString('base64')}`;
}

async function table(language) {
  return (await import(module(language)))[language];
}

/** Texts by language. */
export const WORDS = { nl: await table('nl'), en: await table('en') };
