// What the next call says of us, and that it is only said of the next one.

import { describe, expect, it } from 'vitest';
import type { AccountView, CentreView } from '../../bindings';
import { MockHost } from '../../host/mock';
import { centreView } from '../../host/mock/company';
import { Dialling, presented } from './dialling.svelte';

const account = async (): Promise<AccountView> => {
  const [first] = (await new MockHost().control({ cmd: 'view.get' })).accounts;
  if (first === undefined) throw new Error('no account');
  return first;
};

describe('the next call', () => {
  it('names an account only where there is a choice, and withholds once', async () => {
    const main = await account();
    const two = [main, { ...main, id: 'other' }];
    const next = new Dialling();
    expect(next.with([main], 'main')).toEqual({});
    expect(next.with(two, 'other')).toEqual({ account: 'other' });
    expect(next.with(two, '')).toEqual({});
    next.account = 'main';
    next.withhold = true;
    expect(next.with(two, 'other')).toEqual({ account: 'main', withhold: true });
    next.done();
    expect(next.with(two, 'other')).toEqual({ account: 'other' });
  });
});

describe('the number that is seen', () => {
  it('is what the exchange says, else what the account is called', async () => {
    const main = await account();
    const centre: CentreView = centreView(0);
    expect(presented(main, undefined)).toEqual({ number: main.number, told: false, withheld: false });
    expect(presented(main, centre)).toEqual({ number: '088 765 40 00', told: true, withheld: false });
    const hides = centre.services.map((one) => (one.service === 'withhold_number' ? { ...one, actual: { active: true } } : one));
    expect(presented(main, { ...centre, services: hides }).withheld).toBe(true);
    const facts = centre.facts.map((one) => (one.fact === 'number_presentation' ? { ...one, in_force: false } : one));
    expect(presented(main, { ...centre, facts }).withheld).toBe(true);
  });
});
