// The words of the window in both languages, from its own tables: no test writes a sentence of the program twice.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const UI = fileURLToPath(new URL('../../ui/', import.meta.url));
const typescript = createRequire(join(UI, 'package.json'))('typescript');

/** A table is TypeScript without imports at run time, so it is read without a bundler. */
async function table(language) {
  const source = readFileSync(join(UI, 'src/i18n', `${language}.ts`), 'utf8');
  const { outputText } = typescript.transpileModule(source, {
    compilerOptions: { module: 'esnext', target: 'es2022' },
  });
  const url = `data:text/javascript;base64,${Buffer.from(outputText).toString('base64')}`;
  return (await import(url))[language];
}

/** Texts by language. */
export const WORDS = { nl: await table('nl'), en: await table('en') };
