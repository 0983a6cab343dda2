// What the keys and the buttons do to calls. One place, so that both do the same.

import { tick } from 'svelte';
import type { CallAction, CallView, CapabilityName, DriftAction, RecordDo } from '../bindings';
import { mayStopRecording, nextRecording } from '../features/calls/recording';
import { focusOutcome } from '../features/centre/outcome';
import { dialling } from '../features/dialling/dialling.svelte';
import { other, waiting } from '../features/incoming/waiting.svelte';
import { dismiss } from '../features/ready/ready';
import { costs } from '../features/safety/costs.svelte';
import { targetMenu } from '../features/targets/targets.svelte';
import { takeBack } from '../features/transfers/act';
import { toCallBack } from '../features/transfers/past';
import { pagesOf } from '../views/pages';
import type { Desk } from './desk.svelte';
import type { KeyAction } from './keys';
import { peerName } from './names';
import type { Ui } from './ui.svelte';

function allows(call: CallView, action: CallAction): boolean {
  return call.actions.includes(action);
}

function first(calls: readonly CallView[], action: CallAction): CallView | undefined {
  return calls.find((call) => allows(call, action));
}

export function answer(desk: Desk, call: CallView): void {
  void desk.send({ cmd: 'call.answer', call: call.id });
}

/** Answers by key. A call that came up, or moved up, just now is not meant by a press that was on its way. */
export function answerByKey(desk: Desk, ui: Ui, call: CallView | undefined): boolean {
  if (call === undefined || !allows(call, 'answer')) return false;
  const who = peerName(desk.t, call.peer);
  const talking = desk.current.some((one) => one.answered_ms !== null && one.state !== 'transferring');
  const pressed = waiting.guard.press(call.id, talking);
  if (pressed === 'answer') answer(desk, call);
  else ui.say(pressed === 'too_soon' ? desk.t.calls.tooSoon(who) : desk.t.calls.callWaiting(who));
  return true;
}

export function reject(desk: Desk, call: CallView): void {
  void desk.send({ cmd: 'call.reject', call: call.id });
}

export function hangup(desk: Desk, call: CallView): void {
  void desk.send({ cmd: 'call.hangup', call: call.id });
}

export function hold(desk: Desk, call: CallView): void {
  void desk.send({ cmd: 'call.hold', call: call.id });
}

export function resume(desk: Desk, call: CallView): void {
  void desk.send({ cmd: 'call.resume', call: call.id });
}

export function toggleMute(desk: Desk, call: CallView): void {
  void desk.send({ cmd: 'call.mute', call: call.id, on: !call.muted });
}

export function park(desk: Desk, call: CallView): void {
  void desk.send({ cmd: 'call.park', call: call.id });
}

/** Does something with the recording of a call; how far it is then stands with the call. */
export function record(desk: Desk, call: CallView, wish: RecordDo): void {
  void desk.send({ cmd: 'call.record', call: call.id, do: wish });
}

/** The call in conversation whose recording the keys are about. */
function recordable(desk: Desk): CallView | undefined {
  const calls = [...desk.current, ...desk.flows.map((flow) => flow.caller), ...desk.held];
  return calls.find((call) => nextRecording(call) !== null);
}

function recordByKey(desk: Desk, stop: boolean): boolean {
  const call = recordable(desk);
  if (call === undefined) return false;
  const wish = stop ? 'stop' : nextRecording(call);
  if (wish === null || (stop && !mayStopRecording(call))) return false;
  record(desk, call, wish);
  return true;
}

/** Has the first exchange that can do it begin a call for the user. False: none can. */
function beginAt(desk: Desk, able: CapabilityName, cmd: 'call.pull' | 'call.return' | 'call.redial'): boolean {
  const centre = desk.centre.present.find((one) => one.capabilities.includes(able));
  if (centre !== undefined) void desk.send({ cmd, account: centre.account });
  return centre !== undefined;
}

/** Takes the call that the user has at another of his telephones. */
export const pull = (desk: Desk): boolean => beginAt(desk, 'pull_call', 'call.pull');
/** Calls back whoever called last, at any telephone of the user. */
export const returnCall = (desk: Desk): boolean => beginAt(desk, 'call_return', 'call.return');
/** Calls whom the user called last, at any of his telephones. */
export const redial = (desk: Desk): boolean => beginAt(desk, 'redial', 'call.redial');

/** The call that the exchange can still trace: the last one that came in, once it is over. */
export function toTrace(desk: Desk): CallView | undefined {
  const [last] = desk.view.calls.filter((call) => call.direction === 'in').sort((a, b) => b.started_ms - a.started_ms);
  if (last === undefined || last.state !== 'ended') return undefined;
  const can = desk.centre.present.some((one) => one.account === last.account && one.capabilities.includes('call_trace'));
  return can ? last : undefined;
}

/** Has the exchange report where the last call came from. */
export async function trace(desk: Desk, ui: Ui, call: CallView): Promise<void> {
  const taken = await desk.send({ cmd: 'call.trace', account: call.account });
  if (taken !== undefined) ui.say(desk.t.calls.traceAsked(peerName(desk.t, call.peer)));
}

/** The call that the exchange can ring back for: the last one that was made, if it found somebody busy. */
export function toRingBack(desk: Desk): CallView | undefined {
  const made = desk.view.calls.filter((call) => call.direction === 'out').sort((a, b) => b.started_ms - a.started_ms);
  const [last] = made;
  if (last === undefined || last.state !== 'ended' || last.reason !== 'busy_here') return undefined;
  const can = desk.centre.present.some((one) => one.account === last.account && one.capabilities.includes('ring_back'));
  return can ? last : undefined;
}

/** Has the exchange call the user when the one who was busy is free. */
export async function ringBack(desk: Desk, ui: Ui, call: CallView): Promise<void> {
  const taken = await desk.send({ cmd: 'call.ring_back', account: call.account });
  if (taken !== undefined) ui.say(desk.t.calls.ringBackAsked(peerName(desk.t, call.peer)));
}

/**
 * Those who would be brought together now: the two of a consultation, else those in conversation and the one put on
 * hold last. Nobody else who waits here is let in.
 */
export function together(desk: Desk): CallView[] {
  const flow = desk.flows.find((one) => one.consult !== null && one.stage !== 'sending');
  const wanted = flow === undefined ? [...desk.current, ...desk.held.slice(0, 1)] : [flow.caller, flow.consult];
  const calls = wanted.filter((call): call is CallView => call !== null && allows(call, 'conference'));
  return calls.length > 1 && calls.some((call) => !call.conference) ? calls : [];
}

export function confer(desk: Desk): boolean {
  const calls = together(desk);
  if (calls.length === 0) return false;
  void desk.send({ cmd: 'call.conference', calls: calls.map((call) => call.id) });
  return true;
}

/** Opens the keypad of a call, or closes it when it is open. */
export function toggleKeypad(ui: Ui, call: CallView): void {
  ui.keypadCall = ui.keypadCall === call.id ? null : call.id;
}

/** Does what a key asks for. False when there was nothing to do it to. */
export function perform(action: KeyAction, desk: Desk, ui: Ui): boolean {
  switch (action.do) {
    case 'overview':
      ui.overlay = ui.overlay === 'keys' ? null : 'keys';
      return true;
    case 'escape':
      // A caller on his way comes back before anything that was typed is thrown away.
      return ui.closeTopmost() || targetMenu.close() || costs.leave() || takeBack(desk) || leaveAside(ui) || dismiss(desk) || ui.clearSearch();
    case 'search':
      ui.overlay = null;
      ui.page = 'desk';
      ui.focusSearch();
      return true;
    case 'withhold':
      dialling.withhold = !dialling.withhold;
      ui.say(dialling.withhold ? desk.t.dialling.withheld : desk.t.dialling.shown);
      return true;
    case 'missed':
      ui.showMissed();
      return true;
    case 'quit':
      return quit(desk, ui);
    case 'agent':
    case 'night':
    case 'emergency':
    case 'extend':
    case 'outcome':
    case 'correct':
    case 'board':
      return performOnCentre(action.do, desk, ui);
    case 'desk':
    case 'supervisor':
    case 'wallboard':
    case 'services':
    case 'contacts':
      if (!pagesOf(desk.centre).includes(action.do)) return false;
      ui.overlay = null;
      ui.page = action.do;
      return true;
    default:
      return performOnCall(action, desk, ui);
  }
}

/** Back from the question how a call went, or from a note; what stands there stays. */
function leaveAside(ui: Ui): boolean {
  const aside = document.activeElement?.closest('[data-disposition], [data-note]') ?? null;
  if (aside !== null) ui.focusSearch(false);
  return aside !== null;
}

function performOnCentre(action: 'agent' | 'night' | 'emergency' | 'extend' | 'outcome' | 'correct' | 'board', desk: Desk, ui: Ui): boolean {
  const { main } = desk.centre;
  if (main === null) return false;
  if (action === 'board') {
    void desk.openBoard();
    return true;
  }
  if (action === 'correct') {
    const drifted = desk.centre.present.find((one) => one.agent !== null && one.agent.drift !== null);
    if (drifted !== undefined) correct(desk, drifted.account, 'repeat');
    return drifted !== undefined;
  }
  if (action === 'outcome') return focusOutcome();
  if (action === 'emergency') {
    if (main.emergency.length === 0) return false;
    ui.overlay = 'night';
    // Where the number is typed, or what undoes it.
    void tick().then(() => document.querySelector<HTMLElement>('[data-emergency-first]')?.focus());
    return true;
  }
  if (action === 'extend') {
    if (main.agent?.wrap_up?.may_extend !== true) return false;
    void desk.send({ cmd: 'agent.wrap_up.extend', seconds: 30, account: main.account });
    return true;
  }
  const there = action === 'agent' ? main.agent !== null : main.nights.length + main.emergency.length > 0;
  if (there) ui.overlay = ui.overlay === action ? null : action;
  return there;
}

/** The exchange has the agent in another state than he chose: asks once more, or leaves it so. */
export function correct(desk: Desk, account: string, action: DriftAction): void {
  void desk.send({ cmd: 'agent.drift', action, account });
}

/** Ends the program, unless somebody would be cut off. */
function quit(desk: Desk, ui: Ui): boolean {
  if (desk.view.calls.some((call) => call.state !== 'ended')) ui.say(desk.t.keys.notDuringCalls);
  else void desk.send({ cmd: 'quit' });
  return true;
}

function performOnCall(action: KeyAction, desk: Desk, ui: Ui): boolean {
  switch (action.do) {
    case 'answer':
      return answerByKey(desk, ui, first(desk.ringing, 'answer'));
    case 'answer_other':
      return answerByKey(desk, ui, other(desk) ?? undefined);
    case 'choose_other':
      return waiting.choose(desk);
    case 'call_back': {
      const past = toCallBack(desk.view.transfers);
      if (past !== null) void desk.send({ cmd: 'transfer.call_back', transfer: past.id });
      return past !== null;
    }
    case 'reject':
      return onCall(first(desk.ringing, 'reject'), (call) => reject(desk, call));
    case 'hangup':
      return hangUpCurrent(desk, ui);
    case 'mute':
      return onCall(first(desk.current, 'mute') ?? first(desk.current, 'unmute'), (call) => toggleMute(desk, call));
    case 'keypad':
      return onCall(first(desk.current, 'dtmf'), (call) => toggleKeypad(ui, call));
    case 'park':
      return onCall(first(desk.current, 'park') ?? first(desk.flows.map((flow) => flow.caller), 'park'), (call) => park(desk, call));
    case 'retrieve': {
      const [first] = desk.parked;
      if (first !== undefined) desk.retrieve(first);
      return first !== undefined;
    }
    case 'pull':
      return pull(desk);
    case 'return_call':
      return returnCall(desk);
    case 'redial':
      return redial(desk);
    case 'trace':
      return onCall(toTrace(desk), (call) => void trace(desk, ui, call));
    case 'record':
    case 'record_stop':
      return recordByKey(desk, action.do === 'record_stop');
    case 'ring_back':
      return onCall(toRingBack(desk), (call) => void ringBack(desk, ui, call));
    case 'conference':
      return confer(desk);
    case 'hold':
      return swapInConsultation(desk) || holdOrResume(desk);
    case 'swap':
      return swapInConsultation(desk) || onCall(first(desk.held, 'resume'), (call) => resume(desk, call));
    case 'resume_nth':
      return onCall(desk.held[action.place], (call) => resume(desk, call));
    case 'hangup_nth':
      return onCall(desk.held[action.place], (call) => hangup(desk, call));
    default:
      return false;
  }
}

/** Hangs up on the one in conversation. A caller on his way is none: a habit must not lose him. */
function hangUpCurrent(desk: Desk, ui: Ui): boolean {
  const calls = desk.current.filter((call) => call.state !== 'transferring');
  if (onCall(first(calls, 'hangup'), (call) => hangup(desk, call))) return true;
  if (calls.length === desk.current.length) return false;
  ui.say(desk.t.transfer.notHungUp);
  return true;
}

/** From the caller to the one he is to go to, or back. */
function swapInConsultation(desk: Desk): boolean {
  const flow = desk.flows.find((one) => one.consult !== null && one.stage !== 'sending');
  if (flow === undefined || flow.consult === null) return false;
  const other = flow.stage === 'with_caller' ? flow.consult : flow.caller;
  return onCall(first([other], 'resume'), (call) => resume(desk, call));
}

function holdOrResume(desk: Desk): boolean {
  const talking = first(desk.current, 'hold');
  if (talking !== undefined) {
    hold(desk, talking);
    return true;
  }
  return onCall(first(desk.held, 'resume'), (call) => resume(desk, call));
}

function onCall(call: CallView | undefined, act: (call: CallView) => void): boolean {
  if (call === undefined) return false;
  act(call);
  return true;
}
