//! What the program keeps: settings files and secrets in the system's keyring
