// Sound files for greetings and ring tones: what is taken is sent as it is, anything else the browser can read is made into that.

/** What an exchange takes: WAV, one channel. */
const RATE = 8000;
/** What rings: WAV, any rate; made at this one. */
const RING_RATE = 48_000;
/** Bytes of a ring tone. */
export const MOST_RING = 8_000_000;
/** Bytes of the file. */
export const MOST_BYTES = 2_500_000;
/** Bytes that may be read before they are made smaller. */
export const MOST_INPUT = 40_000_000;
const PCM = 1;
const A_LAW = 6;
const MU_LAW = 7;

/** Why a file cannot be a greeting. */
export type SoundTrouble = 'unreadable' | 'too_long';

export class SoundError extends Error {
  readonly trouble: SoundTrouble;

  constructor(trouble: SoundTrouble) {
    super(trouble);
    this.name = 'SoundError';
    this.trouble = trouble;
  }
}

const tag = (view: DataView, at: number): string => String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));

/** Whether it is a WAV file as the exchange takes it. */
export function fits(bytes: ArrayBuffer): boolean {
  if (bytes.byteLength < 44 || bytes.byteLength > MOST_BYTES) return false;
  const view = new DataView(bytes);
  if (tag(view, 0) !== 'RIFF' || tag(view, 8) !== 'WAVE' || tag(view, 12) !== 'fmt ') return false;
  const format = view.getUint16(20, true);
  const [channels, rate, bits] = [view.getUint16(22, true), view.getUint32(24, true), view.getUint16(34, true)];
  const coded = (format === PCM && bits === 16 && (rate === RATE || rate === 2 * RATE)) || ((format === A_LAW || format === MU_LAW) && bits === 8 && rate === RATE);
  return channels === 1 && coded;
}

/** A WAV file, one channel, 16 bit, of samples from -1 to 1. */
export function wav(samples: Float32Array, rate: number): ArrayBuffer {
  const bytes = new ArrayBuffer(44 + samples.length * 2);
  const view = new DataView(bytes);
  const text = (at: number, letters: string): void => [...letters].forEach((letter, place) => view.setUint8(at + place, letter.charCodeAt(0)));
  text(0, 'RIFF');
  view.setUint32(4, 36 + samples.length * 2, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, place) => view.setInt16(44 + place * 2, Math.round(Math.max(-1, Math.min(1, sample)) * 32767), true));
  return bytes;
}

/** Makes any sound file that the browser reads into one that the exchange takes. */
export async function forExchange(bytes: ArrayBuffer): Promise<ArrayBuffer> {
  if (fits(bytes)) return bytes;
  return made(bytes, RATE, MOST_BYTES);
}

/** Makes any sound file that the browser reads into one that rings. A WAV file is for the program to judge. */
export async function forRinging(bytes: ArrayBuffer): Promise<ArrayBuffer> {
  const view = new DataView(bytes);
  if (bytes.byteLength >= 12 && bytes.byteLength <= MOST_RING && tag(view, 0) === 'RIFF' && tag(view, 8) === 'WAVE') return bytes;
  return made(bytes, RING_RATE, MOST_RING);
}

/** A WAV file of that rate and no more bytes than that. */
async function made(bytes: ArrayBuffer, rate: number, most: number): Promise<ArrayBuffer> {
  let sound: AudioBuffer;
  try {
    // Decoding resamples to the rate of its context.
    sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes.slice(0));
  } catch {
    throw new SoundError('unreadable');
  }
  const file = wav(mixed(sound), sound.sampleRate);
  if (file.byteLength > most) throw new SoundError('too_long');
  return file;
}

/** All channels as one. */
function mixed(sound: AudioBuffer): Float32Array {
  const one = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel += 1) {
    sound.getChannelData(channel).forEach((sample, place) => (one[place] = (one[place] ?? 0) + sample / sound.numberOfChannels));
  }
  return one;
}

/** Bytes as text (RFC 4648 section 4). */
export function base64(bytes: ArrayBuffer): string {
  const part = 0x8000;
  const all = new Uint8Array(bytes);
  let text = '';
  for (let at = 0; at < all.length; at += part) text += String.fromCharCode(...all.subarray(at, at + part));
  return btoa(text);
}

export function fromBase64(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}

/** Plays a file; gives back what ends it. Resolves `over` when it is over. */
export async function play(bytes: ArrayBuffer): Promise<{ stop: () => void; over: Promise<void> }> {
  const context = new AudioContext();
  try {
    const source = context.createBufferSource();
    source.buffer = await context.decodeAudioData(bytes.slice(0));
    source.connect(context.destination);
    const over = new Promise<void>((resolve) => {
      source.onended = () => {
        void context.close();
        resolve();
      };
    });
    source.start();
    return { stop: () => source.stop(), over };
  } catch {
    await context.close();
    throw new SoundError('unreadable');
  }
}

/** Whether this window can record. */
export const canRecord = (): boolean => typeof MediaRecorder !== 'undefined' && navigator.mediaDevices?.getUserMedia !== undefined;

/** Records from the microphone until stopped; rejects when there is none or it is not allowed. */
export async function record(): Promise<{ stop: () => Promise<ArrayBuffer> }> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream);
  const parts: Blob[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise<void>((resolve) => (recorder.onstop = () => resolve()));
  recorder.start();
  return {
    stop: async () => {
      recorder.stop();
      await ended;
      for (const track of stream.getTracks()) track.stop();
      return new Blob(parts).arrayBuffer();
    },
  };
}
