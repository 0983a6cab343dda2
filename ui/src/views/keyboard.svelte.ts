// The keyboard of a window that has the search and the calls: the main one, and the lines in a window of their own.

import { tick } from 'svelte';
import { sendDigit } from '../features/calls/dtmf.svelte';
import { subject } from '../features/contact/subject';
import { waiting } from '../features/incoming/waiting.svelte';
import { take } from '../features/ready/ready';
import { costs } from '../features/safety/costs.svelte';
import type { Search } from '../features/search/model.svelte';
import { wayMeans } from '../features/targets/means';
import { targetMenu, waysOf } from '../features/targets/targets.svelte';
import { carryOut, meanings, scene } from '../features/transfers/act';
import type { Meaning } from '../features/transfers/meaning';
import { perform } from '../shared/actions';
import { chooseByDigit } from '../shared/digits';
import type { Desk } from '../shared/desk.svelte';
import { dtmfDigit, type KeyAction, keyAction } from '../shared/keys';
import { layout } from '../shared/layout.svelte';
import { ui } from '../shared/ui.svelte';

export class Keyboard {
  private readonly desk: Desk;
  private readonly search: Search;
  private readonly keypadCall = $derived.by(() => this.desk.current.find((call) => call.id === ui.keypadCall && call.actions.includes('dtmf')));

  /** To be made while a component is. */
  constructor(desk: Desk, search: Search) {
    [this.desk, this.search] = [desk, search];
    // A keypad whose call ended or was held has nothing to send to.
    $effect(() => {
      if (ui.keypadCall !== null && this.keypadCall === undefined) ui.keypadCall = null;
    });
    // Before anything is painted: a key may come with the frame that shows the call.
    $effect.pre(() => {
      waiting.guard.see(desk.ringing.map((call) => call.id), desk.current.length > 0);
    });
  }

  /** Carries out what a key or a button means, and says when nothing can be done. */
  async act(meaning: Meaning): Promise<void> {
    ui.say('');
    ui.say((await carryOut(this.desk, this.search, meaning)) ?? '');
  }

  /** Shows the ways to reach the chosen one, or gives the caller to his voicemail. */
  private async showTargets(voicemail: boolean): Promise<void> {
    if (targetMenu.close() && !voicemail) return;
    const of = this.search.highlighted ?? (this.search.query === '' ? null : this.search.entryFor(this.search.query));
    if (of === null) return ui.say(this.desk.t.transfer.nothing);
    if (!voicemail) {
      if (!(await targetMenu.show(this.desk, of))) ui.say(this.desk.t.targets.none);
      return;
    }
    const way = (await waysOf(this.desk, of)).find((one) => one.kind === 'voicemail');
    if (way === undefined) ui.say(this.desk.t.targets.noVoicemail(of.name));
    else await this.act(wayMeans(scene(this.desk), way, true));
  }

  /** Stands the keyboard where something is noted of the chosen one, or else of the caller. */
  private async toNote(): Promise<void> {
    ui.overlay = null;
    ui.page = 'desk';
    this.search.showWhole();
    const pane = this.search.highlighted !== null ? 'contact' : 'caller';
    if (pane === 'contact' || subject(this.desk.view.calls, waiting.picked(this.desk.ringing)?.id) !== null) layout.bring(pane);
    await tick();
    const field = document.querySelector<HTMLElement>(`[data-pane="${pane}"] [data-note]`);
    if (field === null) ui.say(this.desk.t.contacts.noteOfNobody);
    else field.focus();
  }

  /** Keys of the menu of ways: digits, arrows, Enter. Whatever else is typed goes on as ever. */
  private inMenu(event: KeyboardEvent): boolean {
    if (!targetMenu.open || event.altKey || event.metaKey || event.repeat || ui.overlay !== null || ui.page !== 'desk') return false;
    if (!event.ctrlKey && !event.shiftKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      targetMenu.move(event.key === 'ArrowUp' ? -1 : 1);
      return true;
    }
    const digit = !event.ctrlKey && !event.shiftKey && /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : -1;
    const cold = keyAction(event)?.do === 'cold';
    const way = targetMenu.list[digit >= 0 ? digit : targetMenu.at];
    if (way === undefined || (digit < 0 && !cold && (event.key !== 'Enter' || event.ctrlKey || event.shiftKey || this.onButton(event)))) return false;
    targetMenu.close();
    void this.act(wayMeans(scene(this.desk), way, cold));
    return true;
  }

  /** A button that has the focus has its Enter. */
  private onButton(event: KeyboardEvent): boolean {
    return event.target instanceof Element && event.target.closest('button, a, summary') !== null;
  }

  /** Enter says yes to what was asked. Only just asked: the press was on its way, and does nothing. */
  private toQuestion(event: KeyboardEvent): boolean {
    if (costs.question === null || ui.overlay !== null || ui.page !== 'desk' || event.key !== 'Enter' || this.onButton(event)) return false;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return false;
    if (!event.repeat) void costs.agree(this.desk);
    return true;
  }

  /** Does what is about the chosen one; false when the key asks for something else. */
  private onChosen(action: KeyAction): boolean {
    switch (action.do) {
      case 'cold':
        void this.act(meanings(this.desk, this.search).cold);
        return true;
      case 'consult':
        void this.act(meanings(this.desk, this.search).enter);
        return true;
      case 'dial_new':
        void this.act(this.search.target === '' ? { do: 'nothing' } : { do: 'dial', to: this.search.target });
        return true;
      case 'pin_nth':
      case 'pin_cold_nth': {
        const pin = layout.choices.pins[action.place];
        if (pin === undefined) {
          ui.say(this.desk.t.pins.none(action.place + 1));
          return true;
        }
        this.search.pick(pin);
        const means = meanings(this.desk, this.search);
        void this.act(action.do === 'pin_nth' ? means.enter : means.cold);
        return true;
      }
      case 'targets':
        void this.showTargets(false);
        return true;
      case 'voicemail':
        void this.showTargets(true);
        return true;
      case 'note':
        void this.toNote();
        return true;
      case 'take_ready':
        return take(this.desk, this.search, ui);
      case 'pickup':
        if (this.search.target === '') ui.say(this.desk.t.transfer.nothing);
        else void this.desk.send({ cmd: 'call.pickup', target: this.search.target });
        return true;
      default:
        return false;
    }
  }

  private static readonly CHOOSES: readonly KeyAction['do'][] = ['targets', 'voicemail', 'cold', 'consult', 'dial_new', 'pickup', 'pin_nth', 'pin_cold_nth'];

  /** A question mark where nothing is being written shows the keys. */
  private asksForKeys(event: KeyboardEvent): boolean {
    if (event.key !== '?' || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return false;
    const field = event.target instanceof Element ? event.target.closest<HTMLInputElement>('input, select, textarea') : null;
    return field === null || (field.getAttribute('role') === 'combobox' && field.value === '');
  }

  /** Enter where no button, field or list has it: after a click on nothing, the highlighted one is still meant. */
  private isLoose(event: KeyboardEvent): boolean {
    const { key, target, ctrlKey, metaKey, altKey, shiftKey } = event;
    if (ui.page !== 'desk' || key !== 'Enter' || ctrlKey || metaKey || altKey || shiftKey || event.repeat || ui.overlay !== null) return false;
    return target instanceof Element && target.closest('button, input, select, textarea, a, summary, [tabindex]') === null;
  }

  /** Typing goes to the search field, wherever a mouse left the focus. */
  private typeToSearch(event: KeyboardEvent): void {
    if (ui.page !== 'desk') return;
    const plain = event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey;
    const elsewhere = event.target instanceof Element && event.target.closest('input, select, textarea') === null;
    if (plain && elsewhere) ui.focusSearch(false);
  }

  /** A press anywhere in the window. */
  keydown = (event: KeyboardEvent): void => {
    // A dialog is told a new key.
    if (ui.capturing) return;
    if (this.asksForKeys(event)) {
      event.preventDefault();
      ui.overlay = ui.overlay === 'keys' ? null : 'keys';
      return;
    }
    if (this.inMenu(event) || this.toQuestion(event)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const action = keyAction(event);
    if (this.isLoose(event)) {
      event.preventDefault();
      void this.act(meanings(this.desk, this.search).enter);
      return;
    }
    if (action !== null) {
      ui.say('');
      const unseen = ui.overlay !== null || ui.page !== 'desk';
      if (unseen && Keyboard.CHOOSES.includes(action.do)) {
        event.preventDefault();
        // Nobody is sent to somebody who cannot be seen now.
        ui.overlay = null;
        ui.page = 'desk';
        return;
      }
      if (this.onChosen(action)) {
        event.preventDefault();
        return;
      }
      const done = perform(action, this.desk, ui);
      if (done || action.do !== 'escape') event.preventDefault();
      if (!done && action.do !== 'escape') ui.say(this.desk.t.keys.none);
      return;
    }
    if (chooseByDigit(event)) {
      event.preventDefault();
      return;
    }
    if (ui.overlay !== null) return;
    const digit = this.keypadCall === undefined ? null : dtmfDigit(event);
    if (this.keypadCall === undefined || digit === null) {
      this.typeToSearch(event);
      return;
    }
    event.preventDefault();
    if (!event.repeat) sendDigit(this.desk, this.keypadCall, digit);
  };
}
