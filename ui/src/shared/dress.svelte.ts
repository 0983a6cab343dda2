// Language, colours, contrast and size of text of the page as a whole: what the root element says of them.

import type { Desk } from './desk.svelte';
import { keymap } from './keymap.svelte';
import { layout } from './layout.svelte';

/** Keeps the root element's language and looks as chosen; "system" follows the system as it changes. Call while a component starts. */
export function dress(desk: Desk): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const contrast = matchMedia('(prefers-contrast: more)');
  let systemDark = $state(dark.matches);
  let systemContrast = $state(contrast.matches);

  $effect(() => {
    const change = (): void => {
      systemDark = dark.matches;
      systemContrast = contrast.matches;
    };
    for (const query of [dark, contrast]) query.addEventListener('change', change);
    return () => {
      for (const query of [dark, contrast]) query.removeEventListener('change', change);
    };
  });

  $effect(() => layout.follow());
  $effect(() => keymap.follow());

  $effect(() => {
    const { text, contrast: wanted, density } = layout.choices;
    const root = document.documentElement;
    root.style.fontSize = text === 100 ? '' : `${text}%`;
    root.dataset.density = density;
    if (wanted === 'high' || systemContrast) root.dataset.contrast = 'high';
    else delete root.dataset.contrast;
  });

  $effect(() => {
    const { theme } = desk.view.settings;
    const root = document.documentElement;
    root.dataset.theme = theme === 'dark' || (theme === 'system' && systemDark) ? 'dark' : 'light';
    root.lang = desk.t.locale.slice(0, 2);
  });
}
