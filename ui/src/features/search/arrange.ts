// The user's own order of colleagues. One list for all sections: who was moved stands in it, with the neighbours he was moved among.

/** More than any company that is shown. */
const MOST = 1000;

/** The order after the people of one section were put as `section` says; the others keep their places. */
export function orderWith(order: readonly string[], section: readonly string[]): string[] {
  const inSection = new Set(section);
  const others = order.filter((person) => !inSection.has(person));
  // Sections are never compared with each other, so where they stand among each other means nothing.
  return [...section, ...others].slice(0, MOST);
}
