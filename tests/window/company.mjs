// A company as large as one likes, as a file for the embedded exchange and as the program's own contacts.

import { writeFileSync } from 'node:fs';
import { control } from './hand.mjs';

/** The number where somebody speaks. */
export const SPEECH = '602';

/** Writes the company of `count` people to a file; gives back the people. The receptionist is 101, with the password `bench`. */
export function company(file, count) {
  const people = Array.from({ length: count }, (_, place) => ({ extension: String(2000 + place), name: `${GIVEN[place % GIVEN.length]} ${FAMILY[Math.floor(place / GIVEN.length) % FAMILY.length]} ${2000 + place}`, department: ['Verkoop', 'Support', 'Directie', 'Magazijn'][place % 4] }));
  const persons = people.map((one) => `[[person]]\nextension = "${one.extension}"\nname = "${one.name}"\ndepartment = "${one.department}"\nvoice = "woman"\n`);
  writeFileSync(file, `name = "Meting"\ndomain = "meting.example"\nmain_number = "+31887650000"\n[numbers]\nmain = "100"\nhunt_group = "190"\nqueue = "195"\necho = "600"\nmusic = "601"\nspeech = "${SPEECH}"\nbusy = "603"\nno_answer = "604"\ndeclines = "605"\nvoicemail = "606"\n[hunt]\nmembers = ["101"]\nring_s = 15\n[[account]]\nextension = "101"\npassword = "bench"\nname = "Receptie"\nrole = "receptionist"\ndepartment = "Receptie"\n${persons.join('')}`);
  return people;
}

export const GIVEN = ['Jan', 'Piet', 'Sanne', 'Eva', 'Mohamed', 'Fatima', 'Daan', 'Lotte', 'Ruben', 'Noor', 'Wim', 'Iris', 'Bram', 'Julia', 'Tom', 'Esra', 'Gijs', 'Fleur', 'Lars', 'Roos'];
export const FAMILY = ['Jansen', 'de Vries', 'Bakker', 'Visser', 'de Wit', 'Postma', 'van den Berg', 'Mulder', 'Zomer', 'Bos', 'van Dijk', 'Smit', 'Vos', 'Peters', 'Dekker', 'Yilmaz', 'Kok', 'Maas', 'Hoekstra', 'Schouten', 'Kuipers', 'Prins', 'Koster', 'Meijer', 'Brouwer', 'Timmer', 'de Boer', 'Hendriks', 'Willems', 'van Leeuwen'];

export const base64 = (text) => Buffer.from(text).toString('base64');

/** Makes these people the user's colleagues. */
export async function inside(session, people) {
  const rows = people.map((one) => `${one.name};${one.extension};${one.department}`);
  await control(session, { cmd: 'contacts.import', name: 'collega.csv', data: base64(`Naam;Telefoon;Afdeling\n${rows.join('\n')}\n`), mapping: ['name', 'work', 'department'] });
}
