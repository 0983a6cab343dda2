// The made-up company of the scripted program.

import type { ColleagueView } from '../../bindings';

const NAMED: [name: string, number: string, department: string][] = [
  ['Sanne Visser', '201', 'Verkoop'], ['Tom de Boer', '202', 'Verkoop'], ['Eva Mulder', '203', 'Verkoop'],
  ['Jan Willem Kok', '204', 'Verkoop'], ['Fatima El Amrani', '205', 'Verkoop'], ['Daan Peeters', '206', 'Verkoop'],
  ['Marieke Vos', '207', 'Verkoop'], ['Ruben Bakels', '208', 'Verkoop'], ['Iris Dekker', '211', 'Verkoop'],
  ['Piet Bakker', '212', 'Verkoop'], ['Kim Yıldız', '301', 'Support'], ['Stijn Willems', '302', 'Support'],
  ['Anouk Meijer', '303', 'Support'], ['Roos van Leeuwen', '306', 'Support'], ['Mees Postma', '307', 'Support'],
  ['Koen Brouwer', '311', 'Support'], ['Karin Smit', '401', 'Administratie'], ['Joris Hendriks', '402', 'Administratie'],
  ['Wim Hoekstra', '501', 'Magazijn'], ['Noor Jacobs', '502', 'Magazijn'],
];
const FIRST = ['Anna', 'Bram', 'Chantal', 'Dirk', 'Esra', 'Floor', 'Gijs', 'Hugo', 'Ilse', 'Jasper', 'Karel', 'Lotte', 'Mo', 'Nina', 'Oscar', 'Pien', 'Quinten', 'Ravi', 'Sem', 'Tess', 'Ugur', 'Vera', 'Wout', 'Youssef', 'Zoë'];
const LAST = ['Aziz', 'de Bruin', 'Cornelissen', 'Demir', 'Evers', 'Groen', 'Haddad', 'Jansen', 'Kuipers', 'van Leeuwen', 'Maas', 'Nowak', 'Postma', 'Ramdin', 'Scholten', 'Timmer', 'Verhoeven', 'de Wit', 'Yılmaz', 'Zijlstra'];
const DEPARTMENTS = ['Verkoop', 'Support', 'Administratie', 'Magazijn', 'Directie', 'Techniek'];

/** So many colleagues: the named ones first, made-up ones after them. */
export function people(count: number): ColleagueView[] {
  const made: ColleagueView[] = NAMED.slice(0, count).map(([name, number, department], at) => ({ name, number, department, mobile: at % 3 === 1 ? '' : `06123456${String(10 + at)}`, account: 'main', watch: true }));
  for (let at = 0; made.length < count; at += 1) {
    const name = `${FIRST[at % FIRST.length] ?? ''} ${LAST[(at * 7 + Math.floor(at / FIRST.length)) % LAST.length] ?? ''}`;
    made.push({ name, number: String(1000 + at), department: DEPARTMENTS[at % DEPARTMENTS.length] ?? '', mobile: '', account: 'main', watch: true });
  }
  return made;
}

export const CUSTOMERS: [name: string, number: string][] = [
  ['Bouwbedrijf Van Dijk', '033 455 12 90'], ['', '06 2233 4455'], ['Mevrouw A. de Vries', '030 231 88 00'],
];
export const NAMED_COUNT = NAMED.length;
