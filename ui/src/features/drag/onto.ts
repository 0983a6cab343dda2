// Which caller and whom a drag brings together, and what is done when it is let go.

import type { CallView, Command, TargetWay } from '../../bindings';
import type { Desk } from '../../shared/desk.svelte';
import { layout } from '../../shared/layout.svelte';
import { move, pinEntry, placeOf } from '../pins/pins';
import type { Entry, Search } from '../search/model.svelte';
import { careful } from '../safety/costs.svelte';
import { type Dragged, dropOn } from './drag.svelte';
import { dropCommand, dropMeans } from './drop';

/** A caller, whom he would go to, and by which way. */
export interface Aim {
  call: CallView;
  entry: Pick<Entry, 'name' | 'target'>;
  way: TargetWay;
}

/** A way to reach the highlighted one: the value of `data-drop` says which. */
function wayAt(search: Search, over: string | null): Omit<Aim, 'call'> | null {
  const told = over === null ? null : /^way (ask|send|park) (.+)$/.exec(over);
  if (told === null) return null;
  const [, way, target] = told as unknown as [string, TargetWay, string];
  return { entry: { name: search.highlighted?.name ?? target, target }, way };
}

/** The caller and the one he would go to; null when the pointer is over nothing of the kind. */
export function aimed(desk: Desk, search: Search, what: Dragged, over: string | null): Aim | null {
  if (what.kind === 'call') {
    const by = wayAt(search, over);
    const entry = [...search.entries, ...layout.choices.pins.map(pinEntry)].find((one) => dropOn.entry(one.key) === over);
    // The call as it is by now, not as it was when it was grabbed.
    const call = desk.view.calls.find((one) => one.id === what.call.id);
    if (call === undefined) return null;
    if (by !== null) return { ...by, call };
    return entry === undefined ? null : { call, entry, way: 'ask' };
  }
  const call = desk.view.calls.find((one) => dropOn.call(one.id) === over);
  return call === undefined ? null : { call, entry: what.entry, way: 'ask' };
}

function give(desk: Desk, command: Command, then: () => void): void {
  if (command.cmd === 'call.transfer.blind' || command.cmd === 'call.transfer.consult' || command.cmd === 'call.redirect') void careful(desk, command, then);
  else void desk.send(command).then((done) => { if (done !== undefined) then(); });
}

/** One of the user's own order, or a pin, let go over another one takes its place. */
function arrange(desk: Desk, search: Search, key: string, over: string): void {
  const [from, to] = [placeOf(key), layout.choices.pins.findIndex((pin) => dropOn.entry(pinEntry(pin).key) === over)];
  const onto = search.entries.find((one) => dropOn.entry(one.key) === over);
  if (from >= 0 && to >= 0) move(desk, from, to);
  else if (onto !== undefined) search.drop(key, onto.key);
}

/** Does what letting go means. */
export function dropped(desk: Desk, search: Search, what: Dragged, over: string, direct: boolean): void {
  const pair = aimed(desk, search, what, over);
  if (pair === null) {
    if (what.kind === 'entry') arrange(desk, search, what.entry.key, over);
    return;
  }
  const meaning = dropMeans(pair.call, pair.entry.target, direct, pair.way);
  if (meaning !== null) give(desk, dropCommand(pair.call, pair.entry.target, meaning), () => void search.clear());
}
