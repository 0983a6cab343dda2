// What a user sees painted, measured in the page.

/** In the page: notes for each key how long it took until results that answer it were painted. */
export const watchKeys = (field) => `
  window.strokes = [];
  const field = document.querySelector('${field}');
  const list = field.closest('section').querySelector('[role="listbox"]');
  let pressed = 0;
  addEventListener('keydown', (event) => { pressed = event.timeStamp; }, true);
  field.addEventListener('input', () => {
    const began = pressed;
    const typed = field.value;
    const look = () => requestAnimationFrame(() => {
      if (field.value !== typed) return;
      if (list.getAttribute('aria-busy') === 'true') return look();
      // What is due next comes after the frame was painted. (A message would do too, but it goes through another process.)
      setTimeout(() => window.strokes.push(performance.now() - began));
    });
    look();
  });
`;
