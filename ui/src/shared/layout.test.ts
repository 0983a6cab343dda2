// What a person chose of the window is kept for each role, and nonsense in the store does no harm.

import { beforeEach, describe, expect, it } from 'vitest';
import { firstChoices, Layout, readChoices } from './layout.svelte';

beforeEach(() => localStorage.clear());

describe('layout', () => {
  it('begins sensibly when nothing or nonsense was kept', () => {
    expect(readChoices(null)).toEqual(firstChoices());
    expect(readChoices('{not json')).toEqual(firstChoices());
    expect(readChoices('[]')).toEqual(firstChoices());
    const odd = readChoices('{"role":"king","text":900,"roles":{"agent":{"closed":["sound","cellar"],"mode":7}},"favourites":[1,"201"]}');
    expect(odd.role).toBe('receptionist');
    expect(odd.text).toBe(100);
    expect(odd.roles.agent).toMatchObject({ closed: ['sound'], mode: 'list', sort: 'free' });
    expect(odd.favourites).toEqual(['201']);
  });

  it('remembers panes, view and order for each role apart, over a restart', () => {
    const layout = new Layout();
    layout.fold('history');
    layout.changeOwn({ mode: 'list', sort: 'free' });
    layout.change({ role: 'employee' });
    expect(layout.isOpen('history')).toBe(true);
    layout.fold('phone');
    const again = new Layout();
    expect(again.role).toBe('employee');
    expect(again.isOpen('phone')).toBe(false);
    again.change({ role: 'receptionist' });
    expect(again.own).toMatchObject({ closed: ['abandoned', 'history'], mode: 'list', sort: 'free' });
    again.fold('history');
    expect(again.isOpen('history')).toBe(true);
  });

  it('keeps which panes stand at the right, and in which order', () => {
    const layout = new Layout();
    layout.movePane('history', -9);
    layout.changeOwn({ panes: layout.own.panes.filter((pane) => pane !== 'sound') });
    const again = new Layout();
    expect(again.own.panes.slice(0, 2)).toEqual(['history', 'caller']);
    expect(again.own.panes).not.toContain('sound');
    again.fold('sound');
    again.bring('sound');
    expect(again.isOpen('sound')).toBe(true);
    expect(again.own.panes.at(-1)).toBe('sound');
    expect(readChoices('{"roles":{"agent":{"panes":["queues","queues","cellar",4]}}}').roles.agent.panes).toEqual(['queues']);
  });

  it('keeps favourites', () => {
    const layout = new Layout();
    layout.favour('main', '201');
    layout.favour('main', '202');
    layout.favour('main', '201');
    expect(new Layout().choices.favourites).toEqual(['main 202']);
    expect(layout.isFavourite('main', '201')).toBe(false);
    // The same extension of another company is somebody else.
    expect([layout.isFavourite('main', '202'), layout.isFavourite('other', '202')]).toEqual([true, false]);
    // One who was chosen by his number alone still is, and can be left out.
    layout.change({ favourites: ['203'] });
    expect(layout.isFavourite('main', '203')).toBe(true);
    layout.favour('main', '203');
    expect(layout.choices.favourites).toEqual([]);
  });

  it('keeps groups as long as somebody is in them, and nine pinned targets at most', () => {
    const layout = new Layout();
    layout.toggleIn(' BHV ', 'main 201');
    layout.toggleIn('BHV', 'main 202');
    expect(new Layout().choices.groups).toEqual([{ name: 'BHV', members: ['main 201', 'main 202'] }]);
    layout.toggleIn('BHV', 'main 201');
    layout.toggleIn('BHV', 'main 202');
    expect(layout.choices.groups).toEqual([]);
    const pin = (target: string): boolean => layout.pin({ name: `P${target}`, target, line: target, account: 'main' });
    for (let n = 1; n <= 9; n += 1) expect(pin(String(n))).toBe(true);
    expect(pin('10')).toBe(false);
    layout.movePin(8, 0);
    expect(pin('1')).toBe(true);
    expect(new Layout().choices.pins.map(({ target }) => target)).toEqual(['9', '2', '3', '4', '5', '6', '7', '8']);
  });

  it('keeps the width of a column within bounds, for each role', () => {
    const layout = new Layout();
    layout.widen('calls', 99);
    expect(new Layout().own.calls).toBe(32);
    layout.change({ role: 'agent' });
    expect(layout.own.calls).toBeNull();
    layout.change({ role: 'receptionist' });
    layout.widen('calls', null);
    expect(new Layout().own.calls).toBeNull();
    expect(readChoices('{"roles":{"agent":{"calls":4,"about":"wide"}}}').roles.agent).toMatchObject({ calls: null, about: null });
  });
});
