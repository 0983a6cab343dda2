//! Address cards (vCard 2.1, 3.0 and 4.0, RFC 2426 and RFC 6350).

use calcard::vcard::{VCard, VCardEntry, VCardParameterName, VCardProperty, VCardValue};

use super::text::{Encoding, decode};
use super::{Contact, ImportError, Imported, Label, MAX_NUMBERS, Numbered, Why, tidy};

/// Largest card, bytes: without its picture a card is far smaller, and a picture is of no use here.
const MAX_CARD: usize = 8 * 1024 * 1024;

/// Reads the cards of a file.
///
/// # Errors
/// When it is empty, too large or no text.
pub fn read(bytes: &[u8]) -> Result<(Imported, Encoding), ImportError> {
    let (text, encoding) = decode(bytes)?;
    let mut imported = Imported::default();
    let mut card: Option<(u64, usize)> = None;
    let mut offset = 0;
    for (number, line) in (1_u64..).zip(text.split_inclusive('\n')) {
        let (begin, end) = (is(line, "BEGIN:VCARD"), is(line, "END:VCARD"));
        if begin {
            if let Some((line, _)) = card.replace((number, offset)) {
                imported.leave_out(line, Why::BrokenCard);
            }
            if imported.is_full(number) {
                card = None;
                break;
            }
        }
        offset += line.len();
        match card {
            Some((line, start)) if end => {
                take(&mut imported, line, text.get(start..offset).unwrap_or_default());
                card = None;
            }
            // Cards only: what stands between them is told once, at its first line.
            None if !line.trim().is_empty() && !end => {
                let told = imported.problems.last().is_some_and(|last| last.line + 1 == number);
                if !told {
                    imported.leave_out(number, Why::BrokenCard);
                }
            }
            _ => {}
        }
    }
    if let Some((line, _)) = card {
        imported.leave_out(line, Why::BrokenCard);
    }
    Ok((imported, encoding))
}

fn is(line: &str, mark: &str) -> bool {
    line.trim().trim_start_matches('\u{feff}').eq_ignore_ascii_case(mark)
}

fn take(imported: &mut Imported, line: u64, text: &str) {
    match (text.len() <= MAX_CARD).then(|| VCard::parse(text)) {
        Some(Ok(card)) => imported.take(line, contact(&card)),
        _ => imported.leave_out(line, Why::BrokenCard),
    }
}

fn contact(card: &VCard) -> Contact {
    let mut contact = Contact::default();
    let mut parts = Vec::new();
    for entry in &card.entries {
        let first = |known: &mut String| {
            if known.is_empty() {
                *known = values(entry).into_iter().next().unwrap_or_default();
            }
        };
        match &entry.name {
            VCardProperty::Uid => first(&mut contact.uid),
            VCardProperty::Fn => first(&mut contact.name),
            VCardProperty::N if parts.is_empty() => parts = values(entry),
            VCardProperty::Org if contact.company.is_empty() => {
                let mut values = values(entry).into_iter();
                contact.company = values.next().unwrap_or_default();
                contact.department = values.next().unwrap_or_default();
            }
            VCardProperty::Title => first(&mut contact.job_title),
            VCardProperty::Email => first(&mut contact.email),
            VCardProperty::Note => first(&mut contact.remark),
            VCardProperty::Tel if contact.numbers.len() < MAX_NUMBERS => {
                let number = values(entry).into_iter().next().unwrap_or_default();
                if !number.is_empty() {
                    contact.numbers.push(Numbered { label: label(entry), number });
                }
            }
            _ => {}
        }
    }
    if contact.name.is_empty() {
        // Family, given, additional, prefix, suffix.
        let part = |at: usize| parts.get(at).map_or("", String::as_str);
        contact.name = tidy(&[part(1), part(2), part(0), part(4)].join(" "));
    }
    contact
}

/// The values of a property, those of several components each by itself.
fn values(entry: &VCardEntry) -> Vec<String> {
    let texts = entry.values.iter().map(|value| match value {
        VCardValue::Component(parts) => tidy(&parts.join(" ")),
        VCardValue::Integer(number) => number.to_string(),
        other => tidy(other.as_text().unwrap_or_default()),
    });
    texts.collect()
}

fn label(entry: &VCardEntry) -> Label {
    let types: Vec<String> = entry
        .params
        .iter()
        .filter(|parameter| parameter.name == VCardParameterName::Type)
        .filter_map(|parameter| parameter.value.as_text())
        .flat_map(|text| text.split(',').map(str::to_ascii_lowercase).collect::<Vec<_>>())
        .collect();
    let table = [
        ("fax", Label::Fax),
        ("cell", Label::Mobile),
        ("pager", Label::Pager),
        ("main-number", Label::Main),
        ("work", Label::Work),
        ("home", Label::Home),
    ];
    let known = table.into_iter().find(|(word, _)| types.iter().any(|text| text == word));
    known.map_or(Label::Other, |(_, label)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Imported {
        read(text.as_bytes()).unwrap().0
    }

    #[test]
    fn cards_of_both_versions() {
        let text = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a-1\r\nN:Wit;Zoë;de;;\r\nFN:Zoë de Wit\r\nORG:Café Zilver;Inkoop\r\n\
            TITLE:Inkoper\r\nTEL;TYPE=WORK,VOICE:070 312 34 56\r\nTEL;TYPE=cell:06-1234\r\n 5678\r\n\
            EMAIL;TYPE=INTERNET:zoe@example.nl\r\nNOTE:first\\nsecond\\, third\r\nEND:VCARD\r\n\
            BEGIN:VCARD\nVERSION:4.0\nN:Berg;Jan;van den;;\nTEL;VALUE=uri;TYPE=\"work,fax\":tel:+31-30-231-88-00\nEND:VCARD\n";
        let imported = all(text);
        assert!(imported.problems.is_empty(), "{:?}", imported.problems);
        let first = &imported.contacts[0];
        assert_eq!((first.uid.as_str(), first.name.as_str()), ("a-1", "Zoë de Wit"));
        assert_eq!((first.company.as_str(), first.department.as_str()), ("Café Zilver", "Inkoop"));
        assert_eq!(first.remark, "first second, third");
        let numbers: Vec<(Label, &str)> =
            first.numbers.iter().map(|n| (n.label, n.number.as_str())).collect();
        assert_eq!(numbers, [(Label::Work, "070 312 34 56"), (Label::Mobile, "06-12345678")]);
        let second = &imported.contacts[1];
        assert_eq!(second.name, "Jan van den Berg");
        assert_eq!(second.numbers[0].label, Label::Fax);
        assert!(crate::same_number(&second.numbers[0].number, "0302318800"));
    }

    #[test]
    fn broken_cards_are_told_by_their_line_and_the_rest_is_read() {
        let text = "BEGIN:VCARD\nVERSION:3.0\nFN:Never ends\nBEGIN:VCARD\nVERSION:3.0\nFN:Jan\nTEL:101\nEND:VCARD\n\
            something else\nand more\nBEGIN:VCARD\nVERSION:3.0\nTEL:102\nEND:VCARD\nBEGIN:VCARD\nFN:Cut off\n";
        let imported = all(text);
        let names: Vec<&str> = imported.contacts.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["Jan"]);
        let problems: Vec<(u64, Why)> = imported.problems.iter().map(|p| (p.line, p.why)).collect();
        assert_eq!(
            problems,
            [(1, Why::BrokenCard), (9, Why::BrokenCard), (11, Why::NoName), (15, Why::BrokenCard)]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_card_is_survived(text in "(BEGIN:VCARD\n)?([A-Z]{1,5}[;:=,.\"\\\\ A-Za-z0-9\n]{0,30}\n){0,8}(END:VCARD\n)?") {
            let _ = read(text.as_bytes());
        }
    }
}
