// Language and colours of the page as a whole: what the root element says of them.

import type { Desk } from './desk.svelte';

/** Keeps the root element's language and theme as chosen; "system" follows the system as it changes. Call while a component starts. */
export function dress(desk: Desk): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  let systemDark = $state(dark.matches);

  $effect(() => {
    const change = (): void => {
      systemDark = dark.matches;
    };
    dark.addEventListener('change', change);
    return () => dark.removeEventListener('change', change);
  });

  $effect(() => {
    const { theme } = desk.view.settings;
    const root = document.documentElement;
    root.dataset.theme = theme === 'dark' || (theme === 'system' && systemDark) ? 'dark' : 'light';
    root.lang = desk.t.locale.slice(0, 2);
  });
}
