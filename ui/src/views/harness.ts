// What tests of the whole page share: the page on the scripted program, and hands to work it.

import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import axe from 'axe-core';
import type { Component } from 'svelte';
import { expect } from 'vitest';
import type { Command } from '../bindings';
import { MockHost, type Scene } from '../host/mock';
import { Desk, provideDesk } from '../shared/desk.svelte';
import { dialling } from '../features/dialling/dialling.svelte';
import { costs } from '../features/safety/costs.svelte';
import { targetMenu } from '../features/targets/targets.svelte';
import { waiting } from '../features/incoming/waiting.svelte';
import { FIRST_KEYS } from '../shared/keymap';
import { keymap } from '../shared/keymap.svelte';
import { firstChoices, layout } from '../shared/layout.svelte';
import { ui } from '../shared/ui.svelte';
import App from './App.svelte';

let close: (() => void) | undefined;

/** So much later, by the clock of the keys that answer. */
export function later(ms: number): void {
  passed += ms;
}
let passed = 0;
waiting.guard.now = () => passed;

/** Opens the page, or that of another window, in Dutch, with quick calls. */
export async function open(scene: Scene = {}, page: Component = App): Promise<MockHost> {
  const host = new MockHost({ pace: 5, language: 'nl', ...scene });
  const desk = new Desk(host);
  provideDesk(desk);
  render(page);
  close = await desk.open();
  await waitFor(() => expect(screen.queryByText('Balie start…')).toBeNull());
  return host;
}

/** The page as at first; call after each test. */
export function leave(): void {
  close?.();
  cleanup();
  ui.overlay = null;
  ui.keypadCall = null;
  ui.page = 'desk';
  ui.say('');
  ui.capturing = false;
  dialling.done();
  costs.leave();
  targetMenu.close();
  keymap.change(FIRST_KEYS);
  layout.change(firstChoices());
}

/** A customer rings and is answered; gives the call. */
export async function talk(host: MockHost): Promise<number> {
  const call = host.ring();
  await screen.findByRole('button', { name: /Opnemen/ });
  press('F2');
  await waitFor(() => expect(host.view.calls.find((one) => one.id === call)?.state).toBe('active'));
  return call;
}

export function press(key: string, more: KeyboardEventInit = {}): void {
  (document.activeElement ?? document.body).dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }),
  );
}

/** Writes into a field as a hand does. */
export function fill(field: HTMLInputElement, text: string): void {
  field.focus();
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

export function type(text: string): void {
  fill(screen.getByRole<HTMLInputElement>('combobox', { name: /Zoek/ }), text);
}

export const tiles = (): Element[] => [...document.querySelectorAll('[role="option"]')];

/** What was asked for, without the wish to be asked about what costs: every call by hand has it, which its own test says. */
export const sent = (host: MockHost, cmd: Command['cmd']): Command[] =>
  host.commands
    .filter((command) => command.cmd === cmd)
    .map((command) => Object.fromEntries(Object.entries(command).filter(([name]) => name !== 'guarded')) as Command);

/** What axe-core has against the page; colours need a real renderer, the window tests measure them. */
export async function violations(): Promise<string[]> {
  const found = await axe.run(document.body, { rules: { 'color-contrast': { enabled: false } } });
  return found.violations.map(({ id, nodes }) => `${id} ${nodes.map(({ html }) => html).join(' ')}`);
}
