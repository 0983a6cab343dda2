// A digit chooses the button with that number, while the focus is among the buttons: `data-digits` on the group, `data-digit-key` on each.

/** The last digit that chooses. */
export const MOST_DIGITS = 9;

type Press = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'repeat' | 'target'>;

/** Presses the button that a digit means; false when the press means none. A field keeps its digits. */
export function chooseByDigit(press: Press): boolean {
  if (press.ctrlKey || press.metaKey || press.altKey || press.repeat || !/^[1-9]$/.test(press.key)) return false;
  if (!(press.target instanceof Element) || press.target.closest('input, select, textarea') !== null) return false;
  const button = press.target.closest('[data-digits]')?.querySelector<HTMLElement>(`[data-digit-key="${press.key}"]`);
  button?.click();
  return button !== null && button !== undefined;
}
