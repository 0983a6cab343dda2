// What became of a transfer is written down once, when it is known.

import { expect, it } from 'vitest';
import type { AppView, CallView, TransferView } from '../../bindings';
import { MockHost } from '../../host/mock';
import { follow } from './log';

it('writes down each end of a transfer once, done or failed', async () => {
  const host = new MockHost();
  host.ring();
  const view = await host.control({ cmd: 'view.get' });
  const call = view.calls[0] as CallView;
  const to = { uri: 'sip:202@x', name: 'Tom de Boer', number: '202' };
  const at = (transfer: TransferView | null): AppView => ({ ...view, calls: [{ ...call, state: 'held', since_ms: 1_000, transfer }] });
  const trying = at({ state: 'trying', to, reason: null, status: null });
  const failed = at({ state: 'failed', to, reason: 'no_answer', status: 480 });
  const once = follow([], trying, failed, 7_000);
  expect(once).toMatchObject([{ done: false, reason: 'no_answer', took: 6_000, to }]);
  expect(follow(once, failed, failed, 8_000)).toBe(once);
  expect(follow(once, { ...view, calls: [] }, failed, 8_000)).toBe(once);
  const done = at({ state: 'done', to, reason: null, status: null });
  expect(follow(once, trying, done, 9_000)).toMatchObject([{ done: true, at: 9_000 }, { done: false }]);
});
