// How a window can look: both languages, light and dark, usual and high contrast. Chosen as a user does, in the main window; the others follow.

import { until } from './webdriver.mjs';

const LANGUAGES = ['nl', 'en'];
const THEMES = ['light', 'dark'];
const CONTRASTS = ['normal', 'high'];

/** Every look. Neighbours differ in one thing. */
export const LOOKS = LANGUAGES.flatMap((language, a) =>
  turned(THEMES, a).flatMap((theme, b) => turned(CONTRASTS, a + b).map((contrast) => ({ language, theme, contrast }))));

/** Those that pictures are taken of. */
export const PICTURED = LOOKS.filter(({ contrast }) => contrast === 'normal');

export const FIRST_LOOK = LOOKS[0];

/** Two that differ in everything: the usual one, and English, dark and of high contrast. */
export const FEW = [FIRST_LOOK, { language: 'en', theme: 'dark', contrast: 'high' }];

function turned(all, by) {
  return by % 2 === 0 ? all : all.toReversed();
}

export const nameOf = ({ language, theme, contrast }) => [theme, ...(contrast === 'high' ? ['high contrast'] : []), language].join(', ');

/** Chooses a look in the main window, which must be the one that the session is at. */
export async function wear(session, look) {
  for (const value of [look.language, look.theme, look.contrast]) {
    await session.run(`
      const choice = document.querySelector('input[type="radio"][value="' + arguments[0] + '"]');
      if (choice === null) throw new Error('no such choice: ' + arguments[0]);
      if (!choice.checked) choice.click();
    `, value);
  }
  await worn(session, look);
}

/** Waits until the window that the session is at has this look. */
export function worn(session, { language, theme, contrast }) {
  const wanted = [language, theme, contrast].join();
  return until(`a window that is ${wanted}`, 10_000, async () => (await session.run(`
    const { lang, dataset } = document.documentElement;
    return [lang, dataset.theme, dataset.contrast ?? 'normal'].join();
  `)) === wanted);
}
