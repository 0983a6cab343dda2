// axe-core on every view, in both languages, light and dark, usual and high contrast (or in two looks that differ in all of these), in
// the window's own engine. A part of the page
// that no view shows fails the test, so that a new one cannot be forgotten.

import { Seen } from './components.mjs';
import { say } from './machine.mjs';
import { FEW, FIRST_LOOK, LOOKS, nameOf, wear, worn } from './looks.mjs';
import { through, TOURS, toWindow } from './views.mjs';

/** The word that asks for every look. */
export const ALL_LOOKS = '--all-looks';

/**
 * Parts that no tour shows, each with its reason. Nothing else may be missing.
 */
const NOT_HERE = new Map([
  ['features/calls/Recording.svelte', 'the demo records nothing; a sentence in a call, which the component tests read'],
  ['features/services/Greeting.svelte', 'the exchange of the demo tells of no greeting; the component tests read it'],
  ['features/sources/AddContact.svelte', 'needs an address book on a server; the component tests read it'],
  ['features/contact/Free.svelte', 'needs a calendar on a server; the component tests read it'],
  ['features/contact/Parts.svelte', 'needs one person in two lists; the component tests read it'],
  ['features/contacts/Order.svelte', 'needs two lists; the component tests read it'],
  ['features/sources/SignIn.svelte', 'needs an organisation that is signed in to; the component tests read it'],
  ['views/QueuesWindow.svelte', 'a sentence where there are no queues'],
]);

const seen = new Seen();

/** One view in these looks; gives back what is wrong in words. */
async function inLooks(looks, machine, view, again) {
  const { session } = machine;
  const wrong = [];
  for (const look of looks) {
    await session.enterMain();
    await wear(session, look);
    if (look !== looks[0]) await again();
    if (view.window !== undefined) {
      await toWindow(session, view);
      await worn(session, look);
    }
    await seen.note(session);
    for (const one of await machine.violations()) wrong.push(`${view.name}, ${nameOf(look)}: ${one}`);
  }
  await session.enterMain();
  await wear(session, FIRST_LOOK);
  return wrong;
}

const tour = (looks, { views, ...start }) => ({
  ...start,
  name: `axe: ${start.name}`,
  steps: async (machine) => {
    await machine.session.enterMain();
    const wrong = [];
    await through(machine, views, async (view, again) => {
      const found = await inLooks(looks, machine, view, again);
      if (found.length === 0) machine.passed(`axe-core: nothing serious in ${looks.length} looks, ${view.name}`);
      wrong.push(...found);
    });
    if (wrong.length > 0) throw new Error(`not accessible:\n  ${wrong.join('\n  ')}`);
  },
});

/** All of them in order; the last one tells what was never on screen. */
export const axe = (everyLook) => [
  ...TOURS.map((one) => tour(everyLook ? LOOKS : FEW, one)),
  {
    name: 'axe: nothing left out',
    needs: TOURS.map(({ name }) => `axe: ${name}`),
    check: () => {
      const missing = seen.unseen().filter((name) => !NOT_HERE.has(name));
      if (missing.length > 0) throw new Error(`no view shows: ${missing.join(', ')}`);
      say(`   ok  every one of ${seen.count} parts and pages was looked at`);
    },
  },
];
