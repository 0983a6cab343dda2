//! A message on the voicemail as a mail: a file of RFC 5322 with the recording as WAV.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::acd::date_time;

/// Samples a second of a recording.
pub(crate) const RATE: u32 = 16_000;
/// Longest line of an encoded body (RFC 2045 section 6.8).
const LINE: usize = 76;

/// Who left a message for whom, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// The line whose voicemail it is: digits only.
    pub(crate) line: String,
    /// Mail address of its owner.
    pub(crate) to: String,
    /// Name of its owner.
    pub(crate) owner: String,
    /// Name of who called.
    pub(crate) caller: Option<String>,
    /// Number of who called; empty if it is withheld.
    pub(crate) number: String,
    /// The company's domain.
    pub(crate) domain: String,
    /// When, seconds since 1970-01-01 0:00 local time.
    pub(crate) local_s: i64,
    /// Tells this letter from all others.
    pub(crate) token: String,
    /// Number of the message in the mailbox.
    pub(crate) message: u64,
}

/// Writes a letter into a folder, which is made if need be; the file.
///
/// # Errors
/// What the system says.
pub(crate) fn store(folder: &Path, letter: &Letter, samples: &[i16]) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let digits: String = letter.line.chars().filter(char::is_ascii_alphanumeric).collect();
    let file = folder.join(format!("voicemail-{digits}-{}.eml", letter.token));
    // Under another name until it is whole, for those who watch the folder.
    let part = file.with_extension("part");
    let mut out = std::fs::File::create(&part)?;
    out.write_all(mail(letter, samples).as_bytes())?;
    out.sync_all()?;
    std::fs::rename(&part, &file)?;
    Ok(file)
}

fn mail(letter: &Letter, samples: &[i16]) -> String {
    let seconds = samples.len() / usize::try_from(RATE).unwrap_or(1);
    let who = match (&letter.caller, letter.number.as_str()) {
        (Some(name), "") => name.clone(),
        (Some(name), number) => format!("{name} ({number})"),
        (None, "") => "een afgeschermd nummer".to_owned(),
        (None, number) => number.to_owned(),
    };
    let boundary = format!("part-{}", letter.token);
    let mut mail = String::new();
    let mut header = |name: &str, value: &str| {
        let _ = write!(mail, "{name}: {value}\r\n");
    };
    header("Date", &date(letter.local_s));
    header("From", &format!("Voicemail <voicemail@{}>", plain(&letter.domain)));
    header("To", &format!("{} <{}>", encoded(&letter.owner), plain(&letter.to)));
    header("Subject", &encoded(&format!("Voicemail van {who}")));
    header("Message-ID", &format!("<{}@{}>", plain(&letter.token), plain(&letter.domain)));
    header("MIME-Version", "1.0");
    header("Content-Type", &format!("multipart/mixed; boundary=\"{boundary}\""));
    let text = format!("Nieuw bericht van {who}, {seconds} seconden.\r\n");
    let _ = write!(
        mail,
        "\r\n--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    );
    push_base64(&mut mail, text.as_bytes());
    let _ = write!(
        mail,
        "--{boundary}\r\nContent-Type: audio/wav; name=\"voicemail.wav\"\r\n\
         Content-Disposition: attachment; filename=\"voicemail.wav\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    );
    push_base64(&mut mail, &wav(samples));
    let _ = write!(mail, "--{boundary}--\r\n");
    mail
}

fn push_base64(mail: &mut String, bytes: &[u8]) {
    let text = STANDARD.encode(bytes);
    // Base64 is ASCII: every cut is between characters.
    for line in text.as_bytes().chunks(LINE) {
        mail.push_str(&String::from_utf8_lossy(line));
        mail.push_str("\r\n");
    }
}

/// A word of a header (RFC 2047), in pieces of at most 39 bytes so that no line is too long.
fn encoded(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    let mut words = Vec::new();
    let mut piece = String::new();
    for letter in clean.chars() {
        if piece.len() + letter.len_utf8() > 39 {
            words.push(std::mem::take(&mut piece));
        }
        piece.push(letter);
    }
    words.push(piece);
    let word = |piece: String| format!("=?UTF-8?B?{}?=", STANDARD.encode(piece));
    words.into_iter().map(word).collect::<Vec<_>>().join("\r\n ")
}

/// What may stand in an address.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "@.-_+".contains(*c)).collect()
}

/// A date of RFC 5322; local time of the Netherlands.
fn date(local_s: i64) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let at = date_time(local_s);
    let day = DAYS.get(at.weekday).copied().unwrap_or("Mon");
    let month = MONTHS.get(at.month.saturating_sub(1)).copied().unwrap_or("Jan");
    format!(
        "{day}, {:02} {month} {:04} {:02}:{:02}:{:02} +0{}00",
        at.day, at.year, at.hour, at.minute, at.second, at.ahead
    )
}

/// 16 bit mono.
pub(crate) fn wav(samples: &[i16]) -> Vec<u8> {
    let mut file = wav_head(samples.len()).to_vec();
    file.reserve(samples.len() * 2);
    samples.iter().for_each(|sample| file.extend_from_slice(&sample.to_le_bytes()));
    file
}

/// What stands before that many samples of 16 bit mono.
pub(crate) fn wav_head(samples: usize) -> [u8; 44] {
    let length = u32::try_from(samples * 2).unwrap_or(u32::MAX).min(u32::MAX - 36);
    let mut head = [0; 44];
    let pieces: [&[u8]; 8] = [
        b"RIFF",
        &(length + 36).to_le_bytes(),
        b"WAVEfmt \x10\0\0\0\x01\0\x01\0",
        &RATE.to_le_bytes(),
        &(RATE * 2).to_le_bytes(),
        b"\x02\0\x10\0",
        b"data",
        &length.to_le_bytes(),
    ];
    head.iter_mut().zip(pieces.concat()).for_each(|(slot, byte)| *slot = byte);
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            line: "101".into(),
            to: "zoe@lindeboom.example".into(),
            owner: "Zoë Antonissen".into(),
            caller: Some("Bakkerij Özdemir\r\nBcc: alle@example.org".into()),
            number: "+31301234567".into(),
            domain: "lindeboom.example".into(),
            // 2026-07-01 12:34:56.
            local_s: 1_782_909_296,
            token: "abc234".into(),
            message: 1,
        }
    }

    #[test]
    fn a_letter_has_its_headers_its_words_and_its_sound() {
        let samples: Vec<i16> = (0..RATE).map(|at| i16::try_from(at % 100).unwrap()).collect();
        let mail = mail(&letter(), &samples);
        assert!(mail.starts_with("Date: Wed, 01 Jul 2026 12:34:56 +0200\r\n"), "{}", &mail[..60]);
        // Nothing of the caller's makes a header.
        assert!(!mail.contains("\r\nBcc:"));
        assert!(mail.lines().all(|line| line.len() <= 78), "short lines");
        let (_, sound) = mail.rsplit_once("base64\r\n\r\n").unwrap();
        let body: String = sound.split("--part").next().unwrap().split_whitespace().collect();
        let file = STANDARD.decode(body).unwrap();
        assert_eq!(file, wav(&samples));
        let read = hound::WavReader::new(file.as_slice()).unwrap();
        assert_eq!((read.spec().sample_rate, read.duration()), (RATE, RATE));
    }

    #[test]
    fn long_names_are_cut_into_words_between_letters() {
        let name = "Désirée ".repeat(20);
        let decode = |word: &str| {
            let inner = word.strip_prefix("=?UTF-8?B?").unwrap().strip_suffix("?=").unwrap();
            String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap()
        };
        let text = encoded(&name);
        let whole: String = text.split("\r\n ").map(decode).collect();
        assert_eq!(whole, name);
    }

    #[test]
    fn letters_are_stored_under_names_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut letter = letter();
        letter.line = "../10/1".into();
        let file = store(folder.path(), &letter, &[1, 2, 3]).unwrap();
        assert_eq!(file, folder.path().join("voicemail-101-abc234.eml"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
