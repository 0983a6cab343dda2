import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Update } from '../bindings';

const invoke = vi.hoisted(() => vi.fn());
vi.mock('@tauri-apps/api/core', () => ({ invoke, isTauri: () => true }));
vi.mock('@tauri-apps/api/window', () => ({ getCurrentWindow: () => ({}) }));

const { WindowHost } = await import('./tauri');

const levels = (microphone: number): Update => ({ kind: 'levels', value: { microphone, speaker: 0 } });

/** Answers the questions for news one by one, then lets the page wait for ever. */
function answers(...told: (Update[] | null | Error)[]): void {
  invoke.mockImplementation((command: string) => {
    if (command === 'subscribe') return Promise.resolve(7);
    const next = told.shift();
    if (next instanceof Error) return Promise.reject(next);
    return next === undefined ? new Promise(() => undefined) : Promise.resolve(next);
  });
}

const asked = (): unknown[][] => invoke.mock.calls.filter(([command]) => command === 'news');

describe('the news of the program', () => {
  beforeEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    invoke.mockReset();
  });

  it('are asked for with the number of the page, again and again', async () => {
    answers([levels(1), levels(2)], [levels(3)]);
    const heard: Update[] = [];
    await new WindowHost().subscribe((update) => heard.push(update));
    await vi.waitFor(() => expect(heard).toEqual([levels(1), levels(2), levels(3)]));
    expect(asked()).toHaveLength(3);
    expect(asked()[0]).toEqual(['news', { number: 7 }]);
  });

  it('end when another page stands in the place of this one', async () => {
    answers([levels(1)], null, [levels(2)]);
    const heard: Update[] = [];
    await new WindowHost().subscribe((update) => heard.push(update));
    await vi.waitFor(() => expect(asked()).toHaveLength(2));
    await new Promise((done) => setTimeout(done));
    expect(heard).toEqual([levels(1)]);
    expect(asked()).toHaveLength(2);
  });

  it('go on after one that could not be shown', async () => {
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    answers([levels(1)], [levels(2)]);
    const heard: Update[] = [];
    await new WindowHost().subscribe((update) => {
      if (heard.push(update) === 1) throw new Error('cannot be shown');
    });
    await vi.waitFor(() => expect(heard).toEqual([levels(1), levels(2)]));
    expect(reported).toHaveBeenCalledOnce();
  });

  it('are asked for again after a failure, and no more once nobody listens', async () => {
    vi.useFakeTimers();
    try {
      vi.stubGlobal('reportError', vi.fn());
      answers(new Error('not now'), [levels(1)], [levels(2)]);
      const heard: Update[] = [];
      const close = await new WindowHost().subscribe((update) => {
        heard.push(update);
        close();
      });
      await vi.advanceTimersByTimeAsync(900);
      expect(heard).toEqual([]);
      await vi.advanceTimersByTimeAsync(200);
      expect(heard).toEqual([levels(1)]);
      expect(asked()).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });
});
