//! SIP transactions, stream framing and digest authentication, without I/O (RFC 3261, 6026, 7616)
