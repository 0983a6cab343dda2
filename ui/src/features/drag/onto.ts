// Which caller and whom a drag brings together, and what is done when it is let go.

import type { CallView } from '../../bindings';
import type { Desk } from '../../shared/desk.svelte';
import { layout } from '../../shared/layout.svelte';
import { pinEntry } from '../pins/pins';
import type { Entry, Search } from '../search/model.svelte';
import { type Dragged, dropOn } from './drag.svelte';
import { dropCommand, dropMeans } from './drop';

/** The caller and the one he would go to; null when the pointer is over nothing of the kind. */
export function aimed(desk: Desk, search: Search, what: Dragged, over: string | null): { call: CallView; entry: Entry } | null {
  if (what.kind === 'call') {
    const entry = [...search.entries, ...layout.choices.pins.map(pinEntry)].find((one) => dropOn.entry(one.key) === over);
    // The call as it is by now, not as it was when it was grabbed.
    const call = desk.view.calls.find((one) => one.id === what.call.id);
    return entry === undefined || call === undefined ? null : { call, entry };
  }
  const call = desk.view.calls.find((one) => dropOn.call(one.id) === over);
  return call === undefined ? null : { call, entry: what.entry };
}

/** Does what letting go means. */
export function dropped(desk: Desk, search: Search, what: Dragged, over: string, direct: boolean): void {
  const pair = aimed(desk, search, what, over);
  if (pair === null) {
    const onto = search.entries.find((one) => dropOn.entry(one.key) === over);
    if (what.kind === 'entry' && onto !== undefined) search.drop(what.entry.key, onto.key);
    return;
  }
  const meaning = dropMeans(pair.call, pair.entry.target, direct);
  if (meaning !== null) void desk.send(dropCommand(pair.call, pair.entry.target, meaning)).then((done) => done !== undefined && search.clear());
}
