// News of queues arrives in any order; the newest stays.

import { describe, expect, it } from 'vitest';
import { centreView, queueViews } from '../../host/mock/company';
import { Centre } from './centre.svelte';

describe('the exchange', () => {
  it('keeps the newest of each queue, and drops those that are gone', () => {
    const centre = new Centre();
    const [first] = queueViews(0);
    if (first === undefined) throw new Error('no queue');
    centre.applyQueues([{ ...first, version: 5 }]);
    centre.applyQueues([{ ...first, version: 4, name: 'older' }]);
    expect(centre.queues.map((queue) => queue.name)).toEqual([first.name]);
    centre.applyQueues([{ ...first, version: 6, gone: true }]);
    expect(centre.queues).toEqual([]);
  });

  it('shows queues in the order of their exchange', () => {
    const centre = new Centre();
    const view = centreView(0);
    centre.apply(view);
    centre.applyQueues([...queueViews(0)].reverse());
    expect(centre.ordered.map((queue) => queue.queue)).toEqual(view.queues);
    centre.apply({ ...view, version: view.version - 1, me: 'older' });
    expect(centre.main?.me).toBe(view.me);
  });

  it('is none while the account has none', () => {
    const centre = new Centre();
    centre.apply({ ...centreView(0), link: { state: 'absent', since_ms: 0, retry_at_ms: null, stale_since_ms: null } });
    expect(centre.main).toBeNull();
  });
});
