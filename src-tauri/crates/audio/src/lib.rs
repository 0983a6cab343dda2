//! Sound devices and their stand-ins: cpal, WAV files, silence
