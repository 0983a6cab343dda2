// Pinned targets: a few that get callers all day, each with a number key.

import { tick } from 'svelte';
import type { Desk } from '../../shared/desk.svelte';
import { layout, type Pin } from '../../shared/layout.svelte';
import { ui } from '../../shared/ui.svelte';
import type { Entry } from '../search/model.svelte';

/** A pin as something that can be chosen. */
export const pinEntry = (pin: Pin): Entry => ({ key: `pin ${pin.target}`, icon: 'pin', mark: pin.line, detail: '', ...pin });

/** Where something that can be chosen stands among the pins, from 0; -1 when it is none of them. */
export const placeOf = (key: string | undefined): number => layout.choices.pins.findIndex((pin) => pinEntry(pin).key === key);

/** How many places Alt and an arrow move a pin; null for any other press. */
export function arranges({ key, altKey, ctrlKey, metaKey, shiftKey }: KeyboardEvent): number | null {
  if (!altKey || ctrlKey || metaKey || shiftKey) return null;
  return { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[key] ?? null;
}

/** Moves the pin at a place, and says which number key it has from then on. At the first and the last place it stays. */
export function move(desk: Desk, from: number, to: number): void {
  const pin = layout.choices.pins[from];
  if (pin === undefined) return;
  const held = document.activeElement instanceof HTMLElement && document.activeElement.dataset.pin !== undefined;
  layout.movePin(from, to);
  const place = placeOf(pinEntry(pin).key) + 1;
  ui.say(desk.t.pins.moved(pin.name, place));
  // An element that is put elsewhere loses the focus.
  if (held) void tick().then(() => document.querySelector<HTMLElement>(`[data-pin="${place}"]`)?.focus());
}

/** What is kept of somebody who is pinned. */
export const pinOf = ({ name, target, line, account }: Entry): Pin => ({ name, target, line, account });
