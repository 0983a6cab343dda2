// English, of how a call sounds and why.

import type { badSound as dutch, levels as levelsInDutch, recordHere as hereInDutch, rings as ringsInDutch, soundCodes as dutchCodes, soundDelay as inDutch } from './nl.sound';

export const soundCodes: typeof dutchCodes = {
  audio_denied: {
    what: 'This device may not be used',
    todo: 'Allow Balie the microphone and sound in the privacy settings of this computer.',
  },
  audio_in_use: {
    what: 'Another program keeps this sound device to itself',
    todo: 'Close that program or choose another device; Balie goes on trying.',
  },
  ringer_failed: {
    what: 'A device that is to ring does not work',
    todo: 'Calls have their sound. Reconnect it, or choose at Sound what rings.',
  },
  alerts_failed: {
    what: 'The device for alerts does not work',
    todo: 'Calls have their sound. Reconnect it, or choose another at Sound.',
  },
  bluetooth_calls: {
    what: 'Your Bluetooth headset sounds like a telephone',
    todo: 'It is in its mode for calls (hands-free). Choose its own microphone at Sound too, or set it to music (A2DP) in the system’s sound and use another microphone.',
  },
  bluetooth_no_microphone: {
    what: 'Your Bluetooth headset has no microphone now',
    todo: 'It is in its mode for music (A2DP). Set it to calls (hands-free) in the system’s sound, or choose another microphone at Sound.',
  },
  ring_unreadable: {
    what: 'This sound cannot ring',
    todo: 'Choose another file, WAV if you can; the built-in bell sounds meanwhile.',
  },
  ring_length: { what: 'This ring tone is too short or too long', todo: 'Choose a sound of a third of a second to 30 seconds.' },
  ring_size: { what: 'This file is too large for a ring tone', todo: 'Choose a file of at most 8 MB.' },
};

export const badSound: typeof dutch = {
  unknown: { what: 'The sound is bad, and nothing shows why', todo: 'Ask whether the other side hears you; else hang up and call again.' },
  our_side: { what: 'This computer does not keep up with the sound', todo: 'Close programs that compute a lot.' },
  their_side: { what: 'It is the other side: the sound falters there', todo: 'Ask them to look at their telephone or to call again.' },
  network_in: { what: 'The network loses sound of the other side', todo: 'You hear them badly. A cable is better than wifi.' },
  network_out: { what: 'The network loses your sound', todo: 'The other side hears you badly. A cable is better than wifi.' },
  network: { what: 'The network is slow or loses sound, both ways', todo: 'A cable is better than wifi.' },
  microphone_silent: { what: 'Your microphone gives no sound', todo: 'See whether it is on, or choose another one.' },
  microphone_clips: { what: 'You sound distorted', todo: 'Turn the microphone down or hold it further away.' },
};

export const soundDelay: typeof inDutch = (heard, said) =>
  [heard === null ? '' : `they are heard after ${heard} ms`, said === null ? '' : `you after ${said} ms`].filter((part) => part !== '').join(', ');

export const recordHere: typeof hereInDutch = {
  heading: 'Recording calls',
  on: 'Record calls on this computer',
  hint: 'Only when you ask for it in a call. The other side hears a tone when recording begins and every 15 seconds after; who records must have the right to. Where your exchange records, that comes first.',
  format: 'Kind of file',
  formats: { opus: 'Opus (small)', wav: 'WAV (large, unprocessed)' },
  days: 'Keep, in days',
  daysHint: 'After that recordings are deleted',
  folder: 'Folder for recordings',
  folderHint: (used) => `Empty is the usual one: ${used}`,
  announcement: 'Announcement before (WAV file)',
  announcementHint: 'The other side hears this first; empty: the tone alone',
  wrong: {
    folder: 'Give the whole path of the folder',
    announcement: 'Give the whole path of a WAV file that is there',
    keep_days: 'Choose 1 to 3650 days',
  },
};

export const rings: typeof ringsInDutch = {
  heading: 'Ring tones',
  of: { ordinary: 'From outside', internal: 'From a colleague', queue: 'From a queue', door: 'From the door' },
  builtIn: { ordinary: 'Bell', internal: 'Soft chime', queue: 'Three trills', door: 'Two beeps' },
  hear: 'Listen',
  stop: 'Stop',
  file: 'Choose a sound',
  reset: 'Built-in ring tone',
  set: 'The ring tone is changed',
  hint: 'A WAV, MP3 or Ogg file of at most 30 seconds',
  trouble: { unreadable: soundCodes.ring_unreadable, too_long: soundCodes.ring_size },
};

export const levels: typeof levelsInDutch = {
  microphone: { name: 'Microphone level', quiet: 'silent', heard: 'hears you', loud: 'too loud' },
  speaker: { name: 'Level of what you hear', quiet: 'silent', heard: 'plays', loud: 'too loud' },
};
