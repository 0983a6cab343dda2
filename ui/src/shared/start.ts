// Starts a page: host, store, component. Each window has one entry that calls this.

import '@fontsource-variable/inter/index.css';
import './base.css';
import { type Component, mount } from 'svelte';
import { openHost } from '../host';
import { HostError } from '../host/types';
import { messagesFor } from '../i18n';
import { Desk, provideDesk } from './desk.svelte';

/** Mounts a window's component on the page, once the host answers. */
export async function start(window_: Component): Promise<void> {
  const target = document.getElementById('app');
  if (target === null) return;
  try {
    const desk = new Desk(await openHost());
    provideDesk(desk);
    mount(window_, { target });
    await desk.open();
  } catch (error) {
    const { app, codes } = messagesFor('system', navigator.languages);
    const code = error instanceof HostError ? error.code : 'internal';
    const { what, todo } = code === 'not_supported' ? { what: app.outside, todo: '' } : codes[code];
    const words = document.createElement('p');
    words.setAttribute('role', 'alert');
    words.className = 'broken';
    words.textContent = `${what}. ${todo}`;
    target.replaceChildren(words);
  }
}
