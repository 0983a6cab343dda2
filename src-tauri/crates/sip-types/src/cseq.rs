//! Owns CSeq, RAck and RSeq: the numbers that order requests (RFC 3261 section 20.16, RFC 3262).

use std::fmt;
use std::str::FromStr;

use crate::scan::{digits, is_lws, trim};
use crate::{Method, ValueError};

/// `CSeq: 314159 INVITE`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// Below 2^31.
    pub number: u32,
    /// The method of the request.
    pub method: Method,
}

impl CSeq {
    /// A CSeq.
    pub fn new(number: u32, method: Method) -> Self {
        Self { number, method }
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

impl FromStr for CSeq {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (number, method) =
            trim(text).split_once(is_lws).ok_or("a CSeq is a number and a method")?;
        Ok(Self { number: sequence(number)?, method: trim(method).parse()? })
    }
}

/// `RAck: 776656 1 INVITE`: which provisional response a PRACK acknowledges (RFC 3262 section 7.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RAck {
    /// The RSeq of the provisional response.
    pub rseq: u32,
    /// The CSeq of the request it answered.
    pub cseq: CSeq,
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rseq, self.cseq)
    }
}

impl FromStr for RAck {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (rseq, cseq) =
            trim(text).split_once(is_lws).ok_or("a RAck is two numbers and a method")?;
        Ok(Self { rseq: digits(rseq).ok_or("the RAck's number is none")?, cseq: cseq.parse()? })
    }
}

fn sequence(text: &str) -> Result<u32, ValueError> {
    digits::<u32>(text)
        .filter(|number| *number < 1 << 31)
        .ok_or_else(|| ValueError(format!("'{text}' is not a number below 2^31")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_leading_zeros_and_spaces() {
        let cseq: CSeq = "0009 \t INVITE".parse().unwrap();
        assert_eq!(cseq, CSeq::new(9, Method::Invite));
        assert_eq!("1 009  INVITE ".parse::<RAck>().unwrap().to_string(), "1 9 INVITE");
    }

    #[test]
    fn refuses_what_is_none() {
        for text in ["", "1", "INVITE 1", "2147483648 INVITE", "-1 INVITE", "1 IN VITE", "1 "] {
            assert!(text.parse::<CSeq>().is_err(), "{text}");
        }
    }
}
