// What a user sees painted, measured in the page.

/** In the page: notes for each key how long it took until results that answer it were painted. */
export const watchKeys = (field) => `
  window.strokes = [];
  const field = document.querySelector('${field}');
  const said = field.closest('section').querySelector('p[role="status"]');
  let pressed = 0;
  addEventListener('keydown', (event) => { pressed = event.timeStamp; }, true);
  field.addEventListener('input', () => {
    const began = pressed;
    const typed = field.value;
    const look = () => requestAnimationFrame(() => {
      if (field.value !== typed) return;
      if (typed.trim() !== '' && said.textContent === '') return look();
      const painted = new MessageChannel();
      painted.port1.onmessage = () => window.strokes.push(performance.now() - began);
      painted.port2.postMessage(null);
    });
    look();
  });
`;
