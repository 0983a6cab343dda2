// How the next call is made: by which account, and whether the number is withheld. Both hold for one call.

import type { AccountView, CentreView } from '../../bindings';

export class Dialling {
  /** The next call withholds the own number. */
  withhold = $state(false);
  /** The account that the user chose for the next call. */
  account = $state<string | null>(null);

  /** What the next call says of it; empty as far as nothing was chosen. `natural` is the account by which the one to be called is known. */
  with(accounts: readonly AccountView[], natural: string): { account?: string; withhold?: true } {
    const account = this.account ?? (accounts.length > 1 && natural !== '' ? natural : null);
    return { ...(account === null ? {} : { account }), ...(this.withhold ? { withhold: true as const } : {}) };
  }

  /** A call was made. */
  done(): void {
    this.withhold = false;
    this.account = null;
  }
}

export const dialling = new Dialling();

/** What the other side sees of us. `told`: the exchange says so; else it is what the account is called. */
export interface Presented {
  number: string;
  told: boolean;
  /** Withheld for every call, as it is set at the exchange. */
  withheld: boolean;
}

/** What the one called by this account sees, as far as it is known. */
export function presented(account: AccountView, centre: CentreView | undefined): Presented {
  const fact = centre?.facts.find((one) => one.fact === 'number_presentation' && one.value !== '');
  const withheld = centre?.services.find((one) => one.service === 'withhold_number')?.actual?.active === true || fact?.in_force === false;
  return { number: fact?.value ?? account.number, told: fact !== undefined, withheld };
}

/** The accounts that can be called with. */
export const usable = (accounts: readonly AccountView[]): AccountView[] => accounts.filter((one) => one.state === 'registered');

