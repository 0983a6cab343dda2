//! Cards as servers keep them: read without their pictures, and written.

use contacts::import::{Contact, Label, read_vcards};

use crate::limits;

/// Properties whose values are pictures, sounds and keys.
const BULKY: [&str; 4] = ["PHOTO", "LOGO", "SOUND", "KEY"];

/// The contact of a card; none for groups, cards without a name, and what is no card.
pub(crate) fn read(card: &str) -> Option<Contact> {
    if card.len() > limits::CARD || is_group(card) {
        return None;
    }
    let (imported, _) = read_vcards(without_bulk(card).as_bytes()).ok()?;
    imported.contacts.into_iter().next()
}

/// A card of a list of cards, as RFC 6350 (6.1.4) and Apple's address book say it.
fn is_group(card: &str) -> bool {
    card.lines().any(|line| {
        let Some((name, value)) = line.split_once(':') else { return false };
        let name = name.split(';').next().unwrap_or(name);
        let known = ["KIND", "X-ADDRESSBOOKSERVER-KIND"];
        known.iter().any(|known| name.eq_ignore_ascii_case(known))
            && value.trim().eq_ignore_ascii_case("group")
    })
}

/// The card without pictures. Lines that begin with a blank belong to the one before (RFC 6350 section 3.2).
fn without_bulk(card: &str) -> String {
    let mut text = String::with_capacity(card.len().min(4_096));
    let mut bulky = false;
    for line in card.split_inclusive('\n') {
        if !line.starts_with([' ', '\t']) {
            let name = line.split([':', ';']).next().unwrap_or(line);
            let name = name.rsplit('.').next().unwrap_or(name).trim();
            bulky = BULKY.iter().any(|known| name.eq_ignore_ascii_case(known));
        }
        if !bulky {
            text.push_str(line);
        }
    }
    text
}

/// Writes a contact as a card (vCard 3.0, which every server takes).
pub(crate) fn write(contact: &Contact, uid: &str) -> String {
    let mut lines = vec![
        "BEGIN:VCARD".to_owned(),
        "VERSION:3.0".to_owned(),
        "PRODID:-//Balie//Contacts//EN".to_owned(),
        format!("UID:{}", escape(uid)),
        format!("FN:{}", escape(&contact.name)),
    ];
    let (given, family) = contact.name.rsplit_once(' ').unwrap_or(("", &contact.name));
    lines.push(format!("N:{};{};;;", escape(family), escape(given)));
    let (company, department) = (escape(&contact.company), escape(&contact.department));
    if !company.is_empty() || !department.is_empty() {
        lines.push(format!("ORG:{company};{department}"));
    }
    for (name, value) in [
        ("TITLE", &contact.job_title),
        ("EMAIL;TYPE=INTERNET", &contact.email),
        ("NOTE", &contact.remark),
    ] {
        if !value.is_empty() {
            lines.push(format!("{name}:{}", escape(value)));
        }
    }
    for numbered in &contact.numbers {
        let kind = match numbered.label {
            Label::Work => "WORK,VOICE",
            Label::Mobile => "CELL,VOICE",
            Label::Home => "HOME,VOICE",
            Label::Main => "MAIN-NUMBER",
            Label::Assistant | Label::Other => "VOICE",
            Label::Fax => "WORK,FAX",
            Label::Pager => "PAGER",
        };
        lines.push(format!("TEL;TYPE={kind}:{}", escape(&numbered.number)));
    }
    lines.push("END:VCARD".to_owned());
    lines.iter().map(|line| folded(line)).collect()
}

/// A value on one line (RFC 6350 section 3.4).
fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for char in value.trim().chars() {
        match char {
            '\\' | ',' | ';' => text.extend(['\\', char]),
            '\n' => text.push_str("\\n"),
            char if char.is_control() => {}
            char => text.push(char),
        }
    }
    text
}

/// No line is longer than 75 bytes (RFC 6350 section 3.2); characters stay whole.
fn folded(line: &str) -> String {
    let mut text = String::with_capacity(line.len() + 8);
    let mut length = 0;
    for char in line.chars() {
        if length + char.len_utf8() > 74 {
            text.push_str("\r\n ");
            length = 1;
        }
        text.push(char);
        length += char.len_utf8();
    }
    text.push_str("\r\n");
    text
}

#[cfg(test)]
mod tests {
    use contacts::import::Numbered;

    use super::*;

    #[test]
    fn a_card_is_read_without_its_picture_however_large() {
        let picture = "A".repeat(100_000);
        let card = format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Jan\r\nPHOTO;ENCODING=b;TYPE=JPEG:{picture}\r\n {picture}\r\n\
             item1.TEL;type=CELL:06 1234 5678\r\nEND:VCARD\r\n"
        );
        let contact = read(&card).unwrap();
        assert_eq!((contact.name.as_str(), contact.numbers.len()), ("Jan", 1));
        assert_eq!(contact.numbers[0].label, Label::Mobile);
        assert!(without_bulk(&card).len() < 200);
        assert_eq!(read(&format!("{card}{}", "x".repeat(limits::CARD))), None, "too large");
    }

    #[test]
    fn groups_and_nameless_cards_are_nobody() {
        for inside in
            ["FN:Team\r\nKIND:group", "FN:Team\r\nX-ADDRESSBOOKSERVER-KIND:group", "TEL:101"]
        {
            assert_eq!(
                read(&format!("BEGIN:VCARD\r\nVERSION:4.0\r\n{inside}\r\nEND:VCARD\r\n")),
                None
            );
        }
        assert_eq!(read("<html>"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let number = |label, number: &str| Numbered { label, number: number.to_owned() };
        let contact = Contact {
            uid: "urn:uuid:1".to_owned(),
            name:
                "Zoë; de, Wit \\ een heel lange naam die over de regel heen loopt, want dat mag ook"
                    .to_owned(),
            company: "Café Zilver".to_owned(),
            department: "Inkoop".to_owned(),
            job_title: "Inkoper".to_owned(),
            email: "zoe@example.nl".to_owned(),
            remark: "belt maandag".to_owned(),
            numbers: vec![
                number(Label::Work, "030 231 88 00"),
                number(Label::Mobile, "0612345678"),
                number(Label::Fax, "0302318801"),
            ],
        };
        let card = write(&contact, "urn:uuid:1");
        assert!(card.lines().all(|line| line.len() <= 75), "{card}");
        assert_eq!(read(&card), Some(contact));
    }

    #[test]
    fn nothing_in_a_value_ends_its_line() {
        let contact = Contact { name: "Jan\r\nTEL:0900123\r\nX:".to_owned(), ..Contact::default() };
        let card = write(&contact, "u");
        assert!(!card.lines().any(|line| line.starts_with("TEL")), "{card}");
        assert!(read(&card).unwrap().numbers.is_empty());
    }
}
