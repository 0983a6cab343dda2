//! Part of the jitter buffer.
