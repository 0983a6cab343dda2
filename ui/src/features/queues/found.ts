// How a queue is found while one types, as people are: by words and initials of its name, by its number, and by the keys of a telephone that these stand on.

import type { QueueView } from '../../bindings';

const KEYS = ['abc', 'def', 'ghi', 'jkl', 'mno', 'pqrs', 'tuv', 'wxyz'];
/** Shorter ones would find nearly everything: letters of initials, and digits for the letters of a word. */
const [LEAST_INITIALS, LEAST_KEYS] = [2, 3];

const fold = (text: string): string => text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();

const words = (folded: string): string[] => folded.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');

/** The digits that a folded word stands on; what stands on none is left out. */
function keysOf(word: string): string {
  const digit = (letter: string): string => {
    const key = KEYS.findIndex((letters) => letters.includes(letter));
    return key >= 0 ? String(key + 2) : /\d/.test(letter) ? letter : '';
  };
  return [...word].map(digit).join('');
}

/** Whether every word of a query stands in the name of the queue, its initials or its number, by letters or by keys. Nothing typed finds all. */
export function finds(query: string, { name, number }: Pick<QueueView, 'name' | 'number'>): boolean {
  const folded = fold(name);
  const named = words(folded);
  const initials = named.map((word) => word.charAt(0)).join('');
  return fold(query).trim().split(/\s+/).every((word) =>
    folded.includes(word)
    || (word.length >= LEAST_INITIALS && (initials.startsWith(word) || number.startsWith(word)))
    || (/^\d+$/.test(word) && ((word.length >= LEAST_KEYS && named.some((one) => keysOf(one).startsWith(word))) || (word.length >= LEAST_INITIALS && keysOf(initials).startsWith(word)))));
}
