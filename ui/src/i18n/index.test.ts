// Languages are complete, times read as people write them.

import { describe, expect, it } from 'vitest';
import type { Code } from '../bindings';
import { duration, messagesFor, timeOfDay } from '.';
import { en } from './en';
import { nl } from './nl';

describe('language', () => {
  it('follows the choice, then the system, then Dutch', () => {
    expect(messagesFor('en', ['nl'])).toBe(en);
    expect(messagesFor('system', ['fr-FR', 'en-GB', 'nl'])).toBe(en);
    expect(messagesFor('system', ['nl-BE'])).toBe(nl);
    expect(messagesFor('system', ['fr', 'de'])).toBe(nl);
  });

  it('says of every code what is the matter and what to do', () => {
    for (const texts of [nl, en]) {
      for (const code of Object.keys(texts.codes) as Code[]) {
        expect(texts.codes[code].what, code).toMatch(/^[A-Z]/);
        expect(texts.codes[code].todo, code).toMatch(/\.$/);
      }
    }
  });

  it('leaves nothing untranslated', () => {
    const same: string[] = [];
    const compare = (a: unknown, b: unknown, path: string): void => {
      if (typeof a === 'string' && a === b && / /.test(a)) same.push(path);
      if (typeof a === 'object' && a !== null) {
        for (const key of Object.keys(a)) compare(Reflect.get(a, key), Reflect.get(b as object, key), `${path}.${key}`);
      }
    };
    compare(nl, en, '');
    expect(same).toEqual([]);
  });

  it('counts with the right form', () => {
    expect(nl.search.people(1)).toBe('1 collega');
    expect(nl.search.people(2)).toBe('2 collega’s');
    expect(en.history.missedLabel(0)).toBe('No missed calls');
    expect(nl.calls.quietText(3, 0)).toContain('geen gemist');
  });
});

describe('times', () => {
  it('are written as a clock', () => {
    expect(duration(-5)).toBe('0:00');
    expect(duration(9_999)).toBe('0:09');
    expect(duration(760_000)).toBe('12:40');
    expect(duration(3_723_000)).toBe('1:02:03');
    expect(timeOfDay(nl, new Date(2026, 10, 23, 9, 2).getTime())).toBe('09:02');
  });
});
