// Places and sizes that are only known while the page runs. The content policy forbids style attributes; the object model may.

/** Sets style properties of an element: `{@attach placed({ top: '12px' })}`. */
export function placed(styles: Record<string, string>): (element: HTMLElement) => void {
  return (element) => {
    for (const [name, value] of Object.entries(styles)) element.style.setProperty(name, value);
  };
}
