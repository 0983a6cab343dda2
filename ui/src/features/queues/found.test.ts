// A queue is found as people are: by words, initials and number, and by the keys they stand on.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { leave, open, press, sent, type } from '../../views/harness';
import { finds } from './found';

afterEach(leave);

const desk = { name: 'Klantendienst Diensten & Énergie', number: '8201' };

describe('a queue is found by', () => {
  it.each([
    ['nothing typed', ''],
    ['the beginning of a word', 'klant'],
    ['the middle of a word', 'dienst'],
    ['words in any order', 'energie klan'],
    ['initials', 'kd'],
    ['all initials, with their accent or without', 'KDÉ'],
    ['initials on the keys of a telephone', '53'],
    ['a word on the keys of a telephone', '55268'],
    ['a later word on the keys', '343'],
    ['its number', '82'],
    ['a word and initials together', 'energie kd'],
  ])('%s', (_, query) => expect(finds(query, desk)).toBe(true));

  it.each([
    ['one letter that no word has', 'z'],
    ['initials that are others', 'dk'],
    ['initials from the second on', 'dé'],
    ['keys of other letters', '54'],
    ['two keys of a word', '55'],
    ['a word that is found beside one that is not', 'kd zzz'],
    ['the end of its number', '201'],
  ])('not by %s', (_, query) => expect(finds(query, desk)).toBe(false));
});

it('is listed by its initials and their keys, and called', async () => {
  const host = await open({ link: 'live' });
  host.company.changeQueue('verkoop', () => ({ name: 'Klantendienst Diensten', number: '8201' }));
  type('kd');
  await waitFor(() => screen.getByRole('option', { name: /Klantendienst Diensten/ }));
  type('zzz');
  await waitFor(() => expect(screen.queryByRole('option', { name: /Klantendienst/ })).toBeNull());
  type('53');
  const tile = await waitFor(() => screen.getByRole('option', { name: /Klantendienst Diensten/ }));
  tile.click();
  press('Enter');
  await waitFor(() => expect(sent(host, 'call.dial')).toMatchObject([{ to: '8201' }]));
});
