// What is sent to an exchange as a greeting is what it takes.

import { describe, expect, it } from 'vitest';
import { base64, fits, forExchange, forRinging, fromBase64, MOST_BYTES, wav } from './sound';

const tone = (rate: number): ArrayBuffer => wav(Float32Array.from({ length: rate / 10 }, (_, n) => Math.sin((n * 440 * 2 * Math.PI) / rate)), rate);

describe('sound files', () => {
  it('are recognised by what is in them', () => {
    expect(fits(tone(8000))).toBe(true);
    expect(fits(tone(16_000))).toBe(true);
    expect(fits(tone(44_100))).toBe(false);
    expect(fits(new TextEncoder().encode('RIFF and nothing that follows it, at all, ever.').buffer as ArrayBuffer)).toBe(false);
    expect(fits(new ArrayBuffer(3))).toBe(false);
    const long = new ArrayBuffer(MOST_BYTES + 1);
    new Uint8Array(long).set(new Uint8Array(tone(8000)));
    expect(fits(long)).toBe(false);
    const stereo = tone(8000);
    new DataView(stereo).setUint16(22, 2, true);
    expect(fits(stereo)).toBe(false);
  });

  it('that fit are sent as they are, and survive being text', async () => {
    const file = tone(8000);
    expect(await forExchange(file)).toBe(file);
    expect(new Uint8Array(fromBase64(base64(file)))).toEqual(new Uint8Array(file));
  });

  it('ring as they are at any rate', async () => {
    const file = tone(44_100);
    expect(await forRinging(file)).toBe(file);
  });

  it('keep too loud samples in bounds', () => {
    const view = new DataView(wav(Float32Array.from([2, -2, 0.5]), 8000));
    expect([0, 1, 2].map((n) => view.getInt16(44 + n * 2, true))).toEqual([32767, -32767, 16384]);
  });

  it('that nobody can read are refused in a word', async () => {
    await expect(forExchange(new ArrayBuffer(100))).rejects.toMatchObject({ trouble: 'unreadable' });
    await expect(forRinging(new ArrayBuffer(4))).rejects.toMatchObject({ trouble: 'unreadable' });
  });
});
