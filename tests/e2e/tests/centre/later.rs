//! What waits for functions of the embedded exchange that are not there yet: F3 hunt groups and F4 facts as the
//! exchange tells them, F1 telephones that ring too or instead, E3 escalation, E4 listening, coaching and entering a call.
