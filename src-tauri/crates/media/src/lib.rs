//! The media engine: codecs, RTP sockets, mixing and playout on one DSP thread
