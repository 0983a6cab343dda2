import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** The page talks to the program through src/host only; one file knows which runtime that is. */
const hostOnly = {
  'no-restricted-imports': [
    'error',
    { patterns: [{ group: ['@tauri-apps/*'], message: 'Only src/host/tauri.ts knows the runtime; use the Host.' }] },
  ],
};

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/bindings'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser } }, rules: hostOnly },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  {
    rules: {
      // Markup from strings is where injected text becomes code.
      'svelte/no-at-html-tags': 'error',
      // The content policy forbids inline style attributes; style: directives go through the object model.
      'svelte/no-inline-styles': ['error', { allowTransitions: false }],
      'no-console': 'error',
      eqeqeq: 'error',
      'no-undef': 'off',
    },
  },
  { files: ['src/host/tauri.ts'], rules: { 'no-restricted-imports': 'off' } },
  { files: ['*.config.{js,ts}'], languageOptions: { globals: { ...globals.node } } },
);
