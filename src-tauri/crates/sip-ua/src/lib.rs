//! The SIP user agent, without I/O: registration, dialogs and INVITE sessions (RFC 3261)
