//! Tables of contacts: what they look like, and reading them by a mapping that somebody has looked at.

use csv::{ReaderBuilder, StringRecord};

use super::headers::field_of;
use super::text::{Encoding, decode};
use super::{Contact, Field, ImportError, Imported, MAX_NUMBERS, Numbered, Why, tidy};

/// Rows that a preview shows.
const SAMPLES: usize = 5;
/// Most columns that are looked at.
const MAX_COLUMNS: usize = 500;

/// What stands between values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// Tab.
    Tab,
}

impl Delimiter {
    fn byte(self) -> u8 {
        match self {
            Delimiter::Comma => b',',
            Delimiter::Semicolon => b';',
            Delimiter::Tab => b'\t',
        }
    }
}

/// What a file looks like before anything is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it is written in.
    pub encoding: Encoding,
    /// What stands between values.
    pub delimiter: Delimiter,
    /// Headers, in order.
    pub headers: Vec<String>,
    /// What each column seems to hold.
    pub mapping: Vec<Field>,
    /// The first rows.
    pub samples: Vec<Vec<String>>,
    /// Rows without the headers.
    pub rows: usize,
}

/// Looks at a file: its first row are headers.
///
/// # Errors
/// When it is empty, too large or no text.
pub fn preview(bytes: &[u8]) -> Result<Table, ImportError> {
    let (text, encoding) = decode(bytes)?;
    let delimiter = delimiter_of(&text);
    let mut records = reader(&text, delimiter);
    let mut row = StringRecord::new();
    let mut next = move || matches!(records.read_record(&mut row), Ok(true)).then(|| values(&row));
    let headers = next().ok_or(ImportError::Empty)?;
    let mut samples = Vec::new();
    let mut rows = 0;
    while let Some(row) = next() {
        rows += 1;
        if samples.len() < SAMPLES {
            samples.push(row);
        }
    }
    let mapping = headers.iter().map(|header| field_of(header)).collect();
    Ok(Table { encoding, delimiter, headers, mapping, samples, rows })
}

/// Reads a file by a mapping, one field for each column.
///
/// # Errors
/// When it is empty, too large or no text, or no column holds names.
pub fn read(bytes: &[u8], mapping: &[Field]) -> Result<Imported, ImportError> {
    const NAMES: [Field; 4] = [Field::Name, Field::GivenName, Field::FamilyName, Field::Company];
    let (text, _) = decode(bytes)?;
    if !mapping.iter().any(|field| NAMES.contains(field)) {
        return Err(ImportError::NoNames);
    }
    let mut records = reader(&text, delimiter_of(&text));
    let mut row = StringRecord::new();
    let mut imported = Imported::default();
    let mut columns = None;
    let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 };
    while matches!(records.read_record(&mut row), Ok(true)) {
        let line = lines.of(row.position().map_or(0, csv::Position::byte));
        let Some(columns) = columns else {
            columns = Some(row.len());
            continue;
        };
        if imported.is_full(line) {
            break;
        }
        let surplus = row.iter().skip(columns).any(|value| !value.trim().is_empty());
        if surplus {
            imported.leave_out(line, Why::TooManyValues);
        } else if row.iter().any(|value| !value.trim().is_empty()) {
            imported.take(line, contact(&row, mapping));
        }
    }
    Ok(imported)
}

fn reader(text: &str, delimiter: Delimiter) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .delimiter(delimiter.byte())
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

/// Counts lines along the text. The reader's own count begins a row that follows `\r\n` or an empty line too early.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the row that the reader begins at this byte; rows come in order.
    fn of(&mut self, byte: u64) -> u64 {
        let from = usize::try_from(byte).unwrap_or(self.at).max(self.at);
        let rest = self.text.get(from..).unwrap_or_default();
        let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.text.get(self.at..from + ends).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = from + ends;
        self.line
    }
}

fn values(row: &StringRecord) -> Vec<String> {
    row.iter().take(MAX_COLUMNS).map(tidy).collect()
}

/// What stands most often in the first row, outside of quotes.
fn delimiter_of(text: &str) -> Delimiter {
    let (mut quoted, mut counts) = (false, [0_u32; 3]);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '\r' | '\n' => break,
            ',' => counts[0] += 1,
            ';' => counts[1] += 1,
            '\t' => counts[2] += 1,
            _ => {}
        }
    }
    let [comma, semicolon, tab] = counts;
    if semicolon > comma && semicolon >= tab {
        Delimiter::Semicolon
    } else if tab > comma {
        Delimiter::Tab
    } else {
        Delimiter::Comma
    }
}

fn contact(row: &StringRecord, mapping: &[Field]) -> Contact {
    let mut contact = Contact::default();
    let (mut given, mut middle, mut family, mut suffix) = Default::default();
    for (value, field) in row.iter().zip(mapping) {
        let value = tidy(value);
        if value.is_empty() {
            continue;
        }
        // Of several columns for the same thing the first that holds something counts.
        let first = |known: &mut String| {
            if known.is_empty() {
                known.clone_from(&value);
            }
        };
        match field {
            Field::Ignore => {}
            Field::Name => first(&mut contact.name),
            Field::GivenName => first(&mut given),
            Field::MiddleName => first(&mut middle),
            Field::FamilyName => first(&mut family),
            Field::Suffix => first(&mut suffix),
            Field::Company => first(&mut contact.company),
            Field::Department => first(&mut contact.department),
            Field::JobTitle => first(&mut contact.job_title),
            Field::Email => first(&mut contact.email),
            Field::Remark => first(&mut contact.remark),
            Field::Uid => first(&mut contact.uid),
            Field::Number(label) if contact.numbers.len() < MAX_NUMBERS => {
                contact.numbers.push(Numbered { label: *label, number: value });
            }
            Field::Number(_) => {}
        }
    }
    if contact.name.is_empty() {
        let parts: [String; 4] = [given, middle, family, suffix];
        contact.name = tidy(&parts.join(" "));
    }
    contact
}

#[cfg(test)]
mod tests {
    use super::super::{Label, MAX_CONTACTS};
    use super::*;

    const ENGLISH: &str = "\u{feff}\"Title\",\"First Name\",\"Middle Name\",\"Last Name\",\"Company\",\"Business Phone\",\"Mobile Phone\",\"E-mail Address\",\"Notes\"\r\n\
        \"\",\"Noël\",\"van\",\"Dijk\",\"Bakkerij, de Korenaar\",\"030 - 231 88 00\",\"+31 6 12345678\",\"n@example.nl\",\"two\r\nlines\"\r\n\
        \"\",\"\",\"\",\"\",\"Müller BV\",\"0887654000\",\"\",\"\",\"\"\r\n";

    fn all(bytes: &[u8]) -> Imported {
        let table = preview(bytes).unwrap();
        read(bytes, &table.mapping).unwrap()
    }

    #[test]
    fn a_list_of_outlook_in_english() {
        let table = preview(ENGLISH.as_bytes()).unwrap();
        assert_eq!(
            (table.encoding, table.delimiter, table.rows),
            (Encoding::Utf8, Delimiter::Comma, 2)
        );
        assert_eq!(table.mapping[5], Field::Number(Label::Work));
        assert_eq!(table.samples[0][1], "Noël");
        let imported = all(ENGLISH.as_bytes());
        assert!(imported.problems.is_empty());
        let first = &imported.contacts[0];
        assert_eq!(first.name, "Noël van Dijk");
        assert_eq!(first.company, "Bakkerij, de Korenaar");
        assert_eq!(first.remark, "two lines");
        let labels: Vec<Label> = first.numbers.iter().map(|n| n.label).collect();
        assert_eq!(labels, [Label::Work, Label::Mobile]);
        assert_eq!(imported.contacts[1].name, "Müller BV", "a company is a name, too");
    }

    #[test]
    fn a_list_of_outlook_in_dutch_for_windows() {
        let text = "Voornaam;Middelste naam;Achternaam;Bedrijf;Afdeling;Telefoon op werk;Mobiele telefoon;E-mailadres\r\n\
                    Zoë;;de Wit;Caf\u{e9} Zilver;Inkoop;070/312.34.56;06-12345678;zoe@example.nl\r\n";
        let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let table = preview(&bytes).unwrap();
        assert_eq!(
            (table.encoding, table.delimiter),
            (Encoding::Windows1252, Delimiter::Semicolon)
        );
        let imported = all(&bytes);
        let only = &imported.contacts[0];
        assert_eq!((only.name.as_str(), only.company.as_str()), ("Zoë de Wit", "Café Zilver"));
        assert_eq!(only.department, "Inkoop");
        assert_eq!(only.numbers.len(), 2);
    }

    #[test]
    fn what_is_broken_is_told_by_its_line_and_the_rest_is_read() {
        let text = "Naam;Telefoon\nJan;0612345678\nEls;none\n;0612345679\nPiet;101;and more\n\n;\nAnn;\"x\"\n";
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let imported = all(text.as_bytes());
            let names: Vec<&str> = imported.contacts.iter().map(|c| c.name.as_str()).collect();
            assert_eq!(names, ["Jan", "Els", "Ann"]);
            let problems: Vec<(u64, Why)> =
                imported.problems.iter().map(|p| (p.line, p.why)).collect();
            let first = [(3, Why::NoNumber), (4, Why::NoName), (5, Why::TooManyValues)];
            assert_eq!(problems, [&first[..], &[(8, Why::NoNumber)]].concat());
            assert_eq!(imported.left_out, 2);
        }
    }

    #[test]
    fn a_mapping_of_ones_own_counts() {
        let text = "a,b\nJan,101\n";
        let table = preview(text.as_bytes()).unwrap();
        assert_eq!(table.mapping, [Field::Ignore, Field::Ignore]);
        assert_eq!(read(text.as_bytes(), &table.mapping), Err(ImportError::NoNames));
        let mapping = [Field::Name, Field::Number(Label::Other)];
        assert_eq!(read(text.as_bytes(), &mapping).unwrap().contacts[0].numbers[0].number, "101");
    }

    #[test]
    fn text_that_turns_around_or_breaks_lines_is_made_plain() {
        let text = "Naam,Telefoon\n\"J\u{202e}an\t\u{7}<b>\r\n$(rm)\",101\n";
        assert_eq!(all(text.as_bytes()).contacts[0].name, "Jan <b> $(rm)");
    }

    #[test]
    fn the_limits_hold() {
        let mut text = "Naam\n".to_owned();
        for _ in 0..=MAX_CONTACTS {
            text.push_str("a\n");
        }
        let imported = all(text.as_bytes());
        assert_eq!(imported.contacts.len(), MAX_CONTACTS);
        assert_eq!(imported.problems[0].why, Why::TooMany);
        let long = format!("Naam\n{}\n", "x".repeat(5000));
        assert_eq!(all(long.as_bytes()).contacts[0].name.len(), super::super::MAX_VALUE);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            if let Ok(table) = preview(&bytes) {
                let _ = read(&bytes, &table.mapping);
                let _ = read(&bytes, &vec![Field::Name; table.headers.len()]);
            }
        }
    }
}
