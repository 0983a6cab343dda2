// What was clicked, selected or copied elsewhere lies ready to be dialled. It never takes the place of something that the user wrote or chose, and what Enter will do with it is said as it is.

import type { Desk } from '../../shared/desk.svelte';
import { SHOWN } from '../../shared/keys';
import { peerName } from '../../shared/names';
import type { Ui } from '../../shared/ui.svelte';
import type { Search } from '../search/model.svelte';
import { meanings } from '../transfers/act';

/** What was put into the search field last; as long as it stands there nobody has written anything. */
let laid: string | null = null;
/** What was taken or put away last: until the program says so too, it still stands in the view. */
let gone: string | null = null;

/** Tells the program that what lay ready is needed no longer. */
function putAway(desk: Desk): void {
  gone = desk.view.prepared;
  const held = gone;
  // Not done: it lies there still.
  void desk.send({ cmd: 'desk.prepared_taken' }).then((done) => {
    if (done === undefined && gone === held) gone = null;
  });
}

/** Somebody writes in another field than the search: his words would go elsewhere with the focus. */
function writesElsewhere(): boolean {
  const field = document.activeElement?.closest<HTMLInputElement | HTMLTextAreaElement>('input, textarea') ?? null;
  if (field === null || field.getAttribute('role') === 'combobox') return false;
  return !['checkbox', 'radio', 'button', 'range'].includes(field.type) && field.value !== '';
}

/** Whether it may be put into the search field at once: nothing was written or chosen there by hand, nobody is on his way, nothing lies over it. */
export function mayTake(desk: Desk, search: Search, ui: Ui): boolean {
  const unwritten = search.text === '' || search.text === laid;
  return unwritten && !search.moved && desk.flows.length === 0 && ui.overlay === null && !writesElsewhere();
}

/** What Enter would do with what stands in the search field now. */
export function readyWords(desk: Desk, search: Search, text: string): string {
  const t = desk.t.desktop;
  const enter = SHOWN.dial.join(' ');
  const { enter: means } = meanings(desk, search);
  switch (means.do) {
    case 'consult':
      return t.preparedConsult(text, enter, peerName(desk.t, means.call.peer), SHOWN.dial_new.join(' '));
    case 'complete':
    case 'other':
      return t.preparedWaits(text, peerName(desk.t, means.flow.to));
    default:
      return t.prepared(text, enter);
  }
}

/** Puts it into the search field, and says what Enter does then. */
export function take(desk: Desk, search: Search, ui: Ui): boolean {
  const { prepared } = desk.view;
  if (prepared === null) return false;
  putAway(desk);
  [ui.overlay, ui.page] = [null, 'desk'];
  search.type(prepared);
  laid = prepared;
  ui.focusSearch(false);
  ui.say(readyWords(desk, search, prepared));
  return true;
}

/** Something new lies ready: it is taken, or offered beside what the user is doing. */
export function receive(desk: Desk, search: Search, ui: Ui): void {
  const { prepared } = desk.view;
  gone = null;
  if (prepared === null) return;
  if (mayTake(desk, search, ui)) {
    take(desk, search, ui);
    return;
  }
  if (ui.overlay === null && !writesElsewhere()) ui.page = 'desk';
  ui.say(desk.t.desktop.offered(prepared, SHOWN.take_ready.join(' ')));
}

/** Puts it away. False when nothing lies ready, or only because the program has not yet heard that it was taken. */
export function dismiss(desk: Desk): boolean {
  const { prepared } = desk.view;
  if (prepared === null || prepared === gone) return false;
  putAway(desk);
  return true;
}
