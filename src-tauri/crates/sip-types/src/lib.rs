//! SIP messages as values: URIs, headers, reading and writing (RFC 3261 section 25, RFC 4475)
