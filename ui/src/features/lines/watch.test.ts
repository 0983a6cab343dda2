// Which lamps are asked for one by one.

import { expect, it } from 'vitest';
import { MockHost } from '../../host/mock';
import { watchable } from './watch';

it('asks for lamps that do not come by the list of the exchange, and only where it can be reached', async () => {
  const view = await new MockHost().control({ cmd: 'view.get' });
  const [first, second, ...others] = view.colleagues;
  if (first === undefined || second === undefined) throw new Error('no colleagues');
  const listed = { ...view, colleagues: [first, { ...second, watch: false }, { ...second, number: '' }] };
  expect(watchable(listed)).toEqual([{ account: 'main', uris: [first.number] }]);
  expect(watchable({ ...view, colleagues: others.map((one) => ({ ...one, watch: false })) })).toEqual([]);
  const away = view.accounts.map((one) => ({ ...one, state: 'unreachable' as const }));
  expect(watchable({ ...view, accounts: away })).toEqual([]);
});
