// Does what Enter, Ctrl+Enter and Esc mean.

import type { Desk } from '../../shared/desk.svelte';
import { peerName } from '../../shared/names';
import { waiting } from '../incoming/waiting.svelte';
import { careful } from '../safety/costs.svelte';
import type { Search } from '../search/model.svelte';
import { coldMeans, enterMeans, type Meaning } from './meaning';

const now = (desk: Desk, search: Search): Parameters<typeof enterMeans>[0] => ({
  ...scene(desk), target: search.target,
});

/** What it would be about with another target than the one in the field. */
export const scene = (desk: Desk): Omit<ReturnType<typeof now>, 'target'> => ({
  calls: desk.view.calls, flows: desk.flows, help: desk.view.help.numbers, picked: waiting.picked(desk.ringing)?.id ?? null,
});

/** What Enter and Ctrl+Enter mean now. */
export function meanings(desk: Desk, search: Search): { enter: Meaning; cold: Meaning } {
  return { enter: enterMeans(now(desk, search)), cold: coldMeans(now(desk, search)) };
}

/** Carries it out; gives the words to say when nothing can be done, else null. */
export async function carryOut(desk: Desk, search: Search, meaning: Meaning): Promise<string | null> {
  const t = desk.t.transfer;
  switch (meaning.do) {
    case 'nothing':
      return t.nothing;
    case 'other':
      return t.other(peerName(desk.t, meaning.flow.to));
    case 'dial':
      await search.call(meaning.to);
      return null;
    case 'consult':
      await careful(desk, { cmd: 'call.transfer.consult', call: meaning.call.id, to: meaning.to }, () => void search.clear());
      return null;
    case 'cold':
      await careful(desk, { cmd: 'call.transfer.blind', call: meaning.call.id, to: meaning.to }, () => void search.clear());
      return null;
    case 'redirect':
      return sendOn(desk, search, meaning);
    case 'park':
      if ((await desk.send({ cmd: 'call.park', call: meaning.call.id, slot: meaning.slot })) !== undefined) search.clear();
      return null;
    case 'complete':
      if ((await desk.send({ cmd: 'call.transfer.complete', call: meaning.flow.caller.id })) !== undefined) search.clear();
      return null;
  }
}

/** Sends a ringing caller on. One who rang just now, or stands alone just now, is not meant by a press that was on its way. */
async function sendOn(desk: Desk, search: Search, { call, to }: Extract<Meaning, { do: 'redirect' }>): Promise<string | null> {
  const who = peerName(desk.t, call.peer);
  if (!waiting.guard.acceptsAlone(call.id)) return desk.t.transfer.notSentOn(who);
  const whom = search.highlighted?.target === to ? search.highlighted.name : to;
  let said: string | null = null;
  await careful(desk, { cmd: 'call.redirect', call: call.id, to }, () => {
    said = desk.t.transfer.sentOn(who, whom);
    search.clear();
  });
  return said;
}

/** Takes a caller back: the one on his way, else one who came back and waits. False when there is none. */
export function takeBack(desk: Desk): boolean {
  const way = desk.flows.find((flow) => flow.caller.actions.includes('cancel_transfer'))?.caller;
  const call = way ?? desk.held.find((one) => one.transfer?.state === 'failed' && one.actions.includes('cancel_transfer'));
  if (call === undefined) return false;
  void desk.send({ cmd: 'call.transfer.cancel', call: call.id });
  return true;
}
