// The calls that are over and want an outcome, on the page.

/** Goes to the first call that waits for an outcome; false when there is none. */
export function focusOutcome(): boolean {
  const [first] = document.querySelectorAll<HTMLElement>('[data-disposition] button:not(:disabled)');
  first?.focus();
  return first !== undefined;
}
