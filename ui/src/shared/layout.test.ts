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
    expect(odd.roles.agent).toEqual({ closed: ['sound'], mode: 'list', sort: 'free' });
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
    expect(again.own).toEqual({ closed: ['abandoned', 'history'], mode: 'list', sort: 'free' });
    again.fold('history');
    expect(again.isOpen('history')).toBe(true);
  });

  it('keeps favourites', () => {
    const layout = new Layout();
    layout.favour('201');
    layout.favour('202');
    layout.favour('201');
    expect(new Layout().choices.favourites).toEqual(['202']);
    expect(layout.isFavourite('201')).toBe(false);
  });
});
