// Ring tones: chosen from a file, tried, taken back; what is no sound is said.

import { screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import { nl } from '../../i18n/nl';
import { wav } from '../../shared/sound';
import { leave, open, sent, violations } from '../../views/harness';

afterEach(leave);

const t = nl.devices.rings;

function put(bytes: BlobPart, name: string): void {
  const file = new File([bytes], name);
  file.arrayBuffer = () => new Response(bytes).arrayBuffer();
  const picker = document.querySelector<HTMLInputElement>('[data-part="rings"] input[type="file"]');
  if (picker === null) throw new Error('no place for a file');
  Object.defineProperty(picker, 'files', { configurable: true, value: [file] });
  picker.dispatchEvent(new Event('change', { bubbles: true }));
}

const button = (act: string, of: string): HTMLElement => screen.getByRole('button', { name: `${act}: ${of}` });

it('takes a sound of the user for the callers of a queue, lets it be heard and takes it back', async () => {
  const host = await open({});
  await screen.findByRole('group', { name: t.heading });
  button(t.file, t.of.queue).click();
  put(wav(new Float32Array(24_000).fill(0.5), 48_000), 'De gong.wav');
  expect(await screen.findByText('De gong')).toBeTruthy();
  expect(await screen.findByText(t.set)).toBeTruthy();
  const [set] = sent(host, 'ring.set');
  const wavBegins = expect.stringMatching(/^UklGR/) as string;
  expect(set).toEqual({ cmd: 'ring.set', source: 'queue', sound: { name: 'De gong', wav: wavBegins } });
  button(t.hear, t.of.queue).click();
  await waitFor(() => expect(button(t.stop, t.of.queue).getAttribute('aria-pressed')).toBe('true'));
  expect(await violations()).toEqual([]);
  button(t.stop, t.of.queue).click();
  await waitFor(() => expect(host.view.audio.ring_tried).toBeNull());
  button(t.reset, t.of.queue).click();
  expect(await screen.findByText(t.builtIn.queue)).toBeTruthy();
  expect(sent(host, 'ring.set').at(-1)).toEqual({ cmd: 'ring.set', source: 'queue' });
  expect(sent(host, 'ring.try')).toEqual([{ cmd: 'ring.try', source: 'queue' }, { cmd: 'ring.try' }]);
});

it('says what is wrong with a file that is no sound, and what to do', async () => {
  const host = await open({});
  await screen.findByRole('group', { name: t.heading });
  button(t.file, t.of.ordinary).click();
  put('no sound at all', 'brief.txt');
  const { what, todo } = nl.codes.ring_unreadable;
  expect(await screen.findByText(`${what}. ${todo}`)).toBeTruthy();
  expect(sent(host, 'ring.set')).toEqual([]);
  expect(await violations()).toEqual([]);
});
