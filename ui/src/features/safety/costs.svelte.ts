// Calls that may cost more than people expect, and those that the company does not let out, are asked about once; the program says which. Nothing is asked about a call for help.

import type { Command, NumberView } from '../../bindings';
import { HostError } from '../../host/types';
import type { Desk } from '../../shared/desk.svelte';

/** Commands by which somebody is called or a caller sent. */
type Calling = Extract<Command, { cmd: 'call.dial' | 'call.transfer.blind' | 'call.transfer.consult' | 'call.redirect' }>;

/** A press sooner than this after the question was on its way before it, milliseconds. */
const TOO_SOON = 400;

interface Question {
  /** What was typed or chosen. */
  to: string;
  /** What kind of number it is; null while that is read. */
  number: NumberView | null;
  /** The company or the operator is known not to let it out. */
  blocked: boolean;
  command: Calling;
  then: () => void;
  at: number;
}

export class Costs {
  question = $state.raw<Question | null>(null);
  /** The clock, for tests to set. */
  now: () => number = () => performance.now();

  ask(desk: Desk, command: Calling, then: () => void, blocked = false): void {
    const asked: Question = { to: command.to, number: null, blocked, command, then, at: this.now() };
    this.question = asked;
    void desk
      .ask({ cmd: 'number.describe', text: command.to })
      .then((number) => {
        if (this.question === asked) this.question = { ...asked, number };
      })
      // The question stands without the kind of number, too.
      .catch(() => undefined);
  }

  /** Yes. False when nothing was asked, or only just. */
  async agree(desk: Desk): Promise<boolean> {
    const { question } = this;
    if (question === null || this.now() - question.at < TOO_SOON) return false;
    this.question = null;
    if ((await desk.send(question.command)) !== undefined) question.then();
    return true;
  }

  /** No. False when nothing was asked. */
  leave(): boolean {
    const asked = this.question !== null;
    this.question = null;
    return asked;
  }
}

export const costs = new Costs();

/** Calls somebody or sends a caller; `then` once it was done, which is after the question where there is one. */
export async function careful(desk: Desk, command: Calling, then: () => void = () => undefined): Promise<void> {
  costs.leave();
  try {
    await desk.ask({ ...command, guarded: true });
  } catch (error) {
    const code = error instanceof HostError ? error.code : null;
    if (code === 'asks_first' || code === 'number_blocked') costs.ask(desk, command, then, code === 'number_blocked');
    else desk.refuse(error);
    return;
  }
  desk.trouble = null;
  then();
}
