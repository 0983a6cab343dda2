//! Sockets for SIP: UDP and TCP over IPv4 and IPv6, name resolution
