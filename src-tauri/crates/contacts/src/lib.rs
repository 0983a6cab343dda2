//! People and their numbers: matching what is dialled and who calls
