//! What the columns of a table mean, by the headers that programs write in English and Dutch.

use super::Label;
use crate::fold::fold;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Nothing that is kept.
    Ignore,
    /// The whole name.
    Name,
    /// First name.
    GivenName,
    /// What stands between: middle names, `van der`.
    MiddleName,
    /// Last name.
    FamilyName,
    /// What follows the name.
    Suffix,
    /// Company.
    Company,
    /// Department.
    Department,
    /// Function.
    JobTitle,
    /// A number.
    Number(Label),
    /// E-mail address.
    Email,
    /// Remark.
    Remark,
    /// What the file calls the row.
    Uid,
}

/// Headers as they are compared: folded, and without anything but letters and digits.
const HEADERS: &[(Field, &[&str])] = &[
    (Field::GivenName, &["firstname", "givenname", "voornaam", "roepnaam"]),
    (
        Field::MiddleName,
        &["middlename", "middelstenaam", "tussenvoegsel", "additionalname", "tweedenaam"],
    ),
    (Field::FamilyName, &["lastname", "familyname", "surname", "achternaam", "familienaam"]),
    (Field::Suffix, &["suffix", "achtervoegsel", "namesuffix"]),
    (
        Field::Name,
        &[
            "name",
            "naam",
            "fullname",
            "displayname",
            "volledigenaam",
            "weergavenaam",
            "contactpersoon",
        ],
    ),
    (
        Field::Company,
        &[
            "company",
            "bedrijf",
            "organisatie",
            "organization",
            "organisation",
            "organizationname",
            "organization1name",
            "bedrijfsnaam",
            "klant",
        ],
    ),
    (
        Field::Department,
        &["department", "afdeling", "organizationdepartment", "organization1department"],
    ),
    (Field::JobTitle, &["jobtitle", "functie", "organizationtitle", "organization1title"]),
    (Field::Email, &["emailaddress", "emailadres", "email", "mail", "email1value", "primaryemail"]),
    (Field::Remark, &["notes", "notities", "opmerking", "opmerkingen", "note"]),
    (Field::Uid, &["uid", "contactid", "klantnummer", "relatienummer"]),
    (
        Field::Number(Label::Work),
        &[
            "businessphone",
            "businessphone2",
            "telefoonopwerk",
            "telefoonopwerk2",
            "telefoonwerk",
            "workphone",
            "werktelefoon",
            "callback",
            "terugbellen",
            "isdn",
        ],
    ),
    (
        Field::Number(Label::Mobile),
        &[
            "mobilephone",
            "mobieletelefoon",
            "mobiel",
            "mobile",
            "cellphone",
            "gsm",
            "carphone",
            "autotelefoon",
            "radiophone",
            "radiotelefoon",
            "mobielnummer",
        ],
    ),
    (
        Field::Number(Label::Home),
        &["homephone", "homephone2", "telefoonthuis", "telefoonthuis2", "telefoonprive"],
    ),
    (Field::Number(Label::Main), &["companymainphone", "hoofdtelefoonbedrijf"]),
    (Field::Number(Label::Assistant), &["assistantsphone", "telefoonassistent"]),
    (
        Field::Number(Label::Fax),
        &["businessfax", "homefax", "otherfax", "faxopwerk", "faxthuis", "anderefax", "fax"],
    ),
    (Field::Number(Label::Pager), &["pager", "semafoon"]),
    (
        Field::Number(Label::Other),
        &[
            "otherphone",
            "anderetelefoon",
            "primaryphone",
            "hoofdtelefoon",
            "phone",
            "phonenumber",
            "telefoon",
            "telefoonnummer",
            "telephone",
            "tel",
            "nummer",
            "number",
            "ttytddphone",
            "telefoonteksttelefoon",
            "extension",
            "toestel",
            "toestelnummer",
            "phone1value",
            "phone2value",
            "phone3value",
        ],
    ),
];

/// What a column with this header holds.
pub(super) fn field_of(header: &str) -> Field {
    let plain: String = fold(header).chars().filter(char::is_ascii_alphanumeric).collect();
    let known = HEADERS.iter().find(|(_, names)| names.contains(&plain.as_str()));
    known.map_or(Field::Ignore, |(field, _)| *field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_means_one_thing() {
        let mut all: Vec<&str> =
            HEADERS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn headers_of_outlook_are_known_in_both_languages() {
        let table = [
            ("First Name", Field::GivenName),
            ("Voornaam", Field::GivenName),
            ("Middelste naam", Field::MiddleName),
            ("Achternaam", Field::FamilyName),
            ("Achtervoegsel", Field::Suffix),
            ("Company", Field::Company),
            ("Bedrijf", Field::Company),
            ("Business Phone 2", Field::Number(Label::Work)),
            ("Telefoon op werk", Field::Number(Label::Work)),
            ("Mobiele telefoon", Field::Number(Label::Mobile)),
            ("Telefoon thuis 2", Field::Number(Label::Home)),
            ("Hoofdtelefoon bedrijf", Field::Number(Label::Main)),
            ("Hoofdtelefoon", Field::Number(Label::Other)),
            ("Assistant's Phone", Field::Number(Label::Assistant)),
            ("TTY/TDD Phone", Field::Number(Label::Other)),
            ("E-mail Address", Field::Email),
            ("E-mailadres", Field::Email),
            ("E-mail 2 Address", Field::Ignore),
            ("Notities", Field::Remark),
            ("Werkadres, straat", Field::Ignore),
            ("User 1", Field::Ignore),
            ("", Field::Ignore),
        ];
        for (header, field) in table {
            assert_eq!(field_of(header), field, "{header}");
        }
    }
}
