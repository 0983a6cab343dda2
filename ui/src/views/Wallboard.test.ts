// The wallboard: how it is opened, what it says without colours, and its two keys.

import { screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { nl } from '../i18n/nl';
import { leave, open, press, violations } from './harness';
import Wallboard from './Wallboard.svelte';

afterEach(leave);

const full = (): string | null => document.querySelector('main')?.getAttribute('data-full') ?? null;

describe('the wallboard', () => {
  it('is opened from the desk by its key, its button and the link at the queues', async () => {
    const host = await open({ link: 'live' });
    press('w', { altKey: true, code: 'KeyW' });
    expect(host.boards).toBe(1);
    within(screen.getByRole('region', { name: 'Wachtrijen' })).getByRole('button', { name: /Wandbord/ }).click();
    press('3', { ctrlKey: true });
    within(await screen.findByRole('region', { name: 'Wandbord' })).getByRole('button', { name: /In een eigen venster/ }).click();
    expect(host.boards).toBe(3);
  });

  it('is not opened for an account without exchange', async () => {
    const host = await open();
    press('w', { altKey: true, code: 'KeyW' });
    expect(host.boards).toBe(0);
    await screen.findByText(nl.keys.none, { selector: '[role="status"]' });
  });

  it('says of each figure how bad it is by shape and word', async () => {
    await open({ link: 'live' }, Wallboard);
    const support = await screen.findByRole('region', { name: 'Support' });
    const figures = [...support.querySelectorAll('dl > div')];
    const bad = figures.filter((figure) => figure.classList.contains('red') || figure.classList.contains('yellow'));
    expect(bad.length).toBeGreaterThan(3);
    for (const figure of bad) {
      const red = figure.classList.contains('red');
      expect(figure.querySelector(`[data-icon="${red ? 'warn' : 'yellow'}"]`), figure.textContent ?? '').not.toBeNull();
      expect(figure.textContent).toContain(red ? nl.queue.severity.red : nl.queue.severity.yellow);
    }
    expect(within(support).getByText('4:05')).toBeTruthy();
    expect(await violations()).toEqual([]);
  });

  it('follows what the exchange tells, and says when that is old', async () => {
    const host = await open({ link: 'live' }, Wallboard);
    const sales = await screen.findByRole('region', { name: 'Verkoop' });
    host.company.changeQueue('verkoop', ({ measures }) => ({
      severity: 'normal', night: true, stale_since_ms: Date.now() - 90_000,
      measures: measures.map((one) => (one.measure === 'waiting' ? { ...one, value: 12, severity: 'normal' } : one)),
    }));
    await within(sales).findByText('12');
    expect(sales.textContent).toMatch(/1 min oud/);
    expect(sales.textContent).toContain(nl.queue.nights);
    expect(sales.querySelector('header [data-icon="yellow"]')).toBeNull();
  });

  it('says so when there is nothing to show', async () => {
    await open({ link: 'absent' }, Wallboard);
    await screen.findByText(nl.board.none);
    expect(screen.getByText(nl.board.noExchange, { exact: false })).toBeTruthy();
    expect(await violations()).toEqual([]);
  });

  it('says that its exchange is lost, and nothing that is one person’s', async () => {
    const host = await open({ link: 'lost' }, Wallboard);
    host.company.change({ warnings: ['agent_drift', 'emergency_active'] });
    await screen.findByText(nl.centre.warnings.emergency_active);
    expect(document.querySelector('[data-link="lost"]')?.textContent).toContain(nl.centre.link.lost.what);
    expect(screen.queryByText(nl.centre.warnings.agent_drift)).toBeNull();
    expect(document.querySelector('[data-line] button')).toBeNull();
  });

  it('fills the screen by F11; Esc leaves that first, and then closes', async () => {
    const host = await open({ link: 'live' }, Wallboard);
    await waitFor(() => expect(full()).toBe('false'));
    press('F11');
    await waitFor(() => expect(full()).toBe('true'));
    expect(screen.getByRole('button', { name: /Als venster/, pressed: true })).toBeTruthy();
    expect(screen.queryByRole('button', { name: /Sluiten/ })).toBeNull();
    press('Escape');
    await waitFor(() => expect(full()).toBe('false'));
    expect(host.window.closed).toBe(false);
    press('Escape');
    expect(host.window.closed).toBe(true);
  });
});
