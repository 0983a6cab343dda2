//! RTP streams, RTCP, telephone events and the jitter buffer, without I/O (RFC 3550, 4733)
