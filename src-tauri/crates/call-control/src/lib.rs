//! Calls as a person sees them: states, hold, mute, who ended it and why
