// Which language is spoken, and how times and dates are written in it.

import type { Language } from '../bindings';
import { en } from './en';
import { type Messages, nl } from './nl';

export type { Messages } from './nl';

/** The texts for a choice. "system" follows the system's languages; Dutch when they say nothing we speak. */
export function messagesFor(choice: Language, systemLanguages: readonly string[]): Messages {
  if (choice === 'nl') return nl;
  if (choice === 'en') return en;
  for (const tag of systemLanguages) {
    const primary = tag.toLowerCase().split(/[-_]/)[0];
    if (primary === 'nl') return nl;
    if (primary === 'en') return en;
  }
  return nl;
}

/** A duration as a clock shows it: 0:09, 12:40, 1:02:03. */
export function duration(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const seconds = String(total % 60).padStart(2, '0');
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(locale: string, key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${locale} ${key}`;
  let known = formats.get(name);
  if (known === undefined) {
    known = new Intl.DateTimeFormat(locale, options);
    formats.set(name, known);
  }
  return known;
}

const spans = new Map<string, Intl.NumberFormat>();

/** An age in words: "40 sec", "12 min", "3 uur". */
export function span(texts: Messages, milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [value, unit] =
    seconds < 60 ? [seconds, 'second'] : seconds < 3600 ? [Math.floor(seconds / 60), 'minute'] : [Math.floor(seconds / 3600), 'hour'];
  const name = `${texts.locale} ${unit}`;
  let known = spans.get(name);
  if (known === undefined) {
    known = new Intl.NumberFormat(texts.locale, { style: 'unit', unit: String(unit), unitDisplay: 'short' });
    spans.set(name, known);
  }
  return known.format(Number(value));
}

/** Time of day, 09:42. */
export function timeOfDay(texts: Messages, ms: number): string {
  return format(texts.locale, 'time', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(ms);
}

/** Day, short: ma 23 nov. */
export function shortDay(texts: Messages, ms: number): string {
  return format(texts.locale, 'day', { weekday: 'short', day: 'numeric', month: 'short' })
    .format(ms)
    .replace(/[.,]/g, '');
}
