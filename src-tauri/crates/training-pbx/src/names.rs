//! Dutch names, departments and numbers, drawn from a seed. All made up.

use sip_core::Random;

use crate::company::Voice;

const WOMEN: [&str; 40] = [
    "Sanne",
    "Eva",
    "Fatima",
    "Marieke",
    "Noor",
    "Iris",
    "Julia",
    "Agnieszka",
    "Kim",
    "Anouk",
    "Roos",
    "Esra",
    "Tess",
    "Fleur",
    "Lina",
    "Chantal",
    "Zoë",
    "Marjolein",
    "Loïs",
    "Noëlle",
    "Renée",
    "Désirée",
    "Anaïs",
    "Maud",
    "Nynke",
    "Femke",
    "Wietske",
    "Saïda",
    "Hanneke",
    "Ilse",
    "Petra",
    "Yvonne",
    "Ingeborg",
    "Aïcha",
    "Manon",
    "Lotte",
    "Jolijn",
    "Willemijn",
    "Merel",
    "Élise",
];
const MEN: [&str; 40] = [
    "Tom",
    "Daan",
    "Ruben",
    "Wim",
    "Piet",
    "Bram",
    "Jeroen",
    "Dwight",
    "Stijn",
    "Youssef",
    "Lars",
    "Mees",
    "Gijs",
    "Koen",
    "Hugo",
    "Ravi",
    "Sem",
    "Henk",
    "Mohamed",
    "Joris",
    "Bas",
    "Karel",
    "René",
    "André",
    "Daniël",
    "Raphaël",
    "Joël",
    "Özgür",
    "Şahin",
    "Sjoerd",
    "Tjeerd",
    "Wessel",
    "Jan Willem",
    "Piet Hein",
    "Luuk",
    "Timo",
    "Maarten",
    "Niek",
    "Olivier",
    "Björn",
];
const FAMILIES: [&str; 72] = [
    "de Jong",
    "Jansen",
    "de Vries",
    "van den Berg",
    "Bakker",
    "van Dijk",
    "Visser",
    "Smit",
    "Meijer",
    "de Boer",
    "Mulder",
    "de Groot",
    "Bos",
    "Vos",
    "Peters",
    "Hendriks",
    "van Leeuwen",
    "Dekker",
    "Brouwer",
    "de Wit",
    "Dijkstra",
    "Smits",
    "de Graaf",
    "van der Meer",
    "Kok",
    "Jacobs",
    "van der Veen",
    "Vermeulen",
    "van den Heuvel",
    "van der Linden",
    "Schouten",
    "van Beek",
    "Prins",
    "Huisman",
    "Kuipers",
    "Koster",
    "van Vliet",
    "Hoekstra",
    "Verhoeven",
    "Postma",
    "Bosch",
    "Scholten",
    "Willems",
    "Maas",
    "Timmer",
    "Groen",
    "ter Haar",
    "van 't Hof",
    "in 't Veld",
    "op den Kelder",
    "Yıldız",
    "Özdemir",
    "Çelik",
    "Şahin",
    "El Amrani",
    "Bouzid",
    "Haddad",
    "Ramdin",
    "Pinas",
    "Nguyen",
    "Nowak",
    "Müller",
    "Günther",
    "Böhm",
    "Peeters",
    "Lefèvre",
    "Geënt",
    "Coëlho",
    "Weiß",
    "Åkesson",
    "Benali",
    "Wijdenbosch",
];
const FIRMS: [&str; 16] = [
    "Garage",
    "Bakkerij",
    "Apotheek",
    "Huisartsenpraktijk",
    "Bloemisterij",
    "Drukkerij",
    "Hotel",
    "Café",
    "Slagerij",
    "Tandartspraktijk",
    "Makelaardij",
    "Transportbedrijf",
    "Aannemersbedrijf",
    "Kapsalon",
    "Fysiotherapie",
    "Installatiebedrijf",
];
/// Departments, with how many of a hundred people belong to them.
pub(crate) const DEPARTMENTS: [(&str, u64); 8] = [
    ("Receptie", 3),
    ("Directie", 3),
    ("Verkoop", 22),
    ("Support", 24),
    ("Administratie", 14),
    ("Techniek", 20),
    ("Magazijn", 10),
    ("Inkoop", 4),
];

/// One of the words.
fn pick<'a>(random: &mut Random, words: &[&'a str]) -> &'a str {
    let last = u64::try_from(words.len()).unwrap_or(1).saturating_sub(1);
    let at = usize::try_from(random.between(0, last)).unwrap_or(0);
    words.get(at).copied().unwrap_or_default()
}

/// Somebody's voice and full name.
pub(crate) fn person(random: &mut Random) -> (Voice, String) {
    let voice = if random.between(0, 1) == 0 { Voice::Woman } else { Voice::Man };
    let first = match voice {
        Voice::Woman => pick(random, &WOMEN),
        Voice::Man => pick(random, &MEN),
    };
    (voice, format!("{first} {}", pick(random, &FAMILIES)))
}

/// Who calls from outside: a person or a firm, with a number.
pub(crate) fn customer(random: &mut Random) -> (Voice, String, String) {
    let (voice, name) = person(random);
    let name = match random.between(0, 2) {
        0 => format!("{} {}", pick(random, &FIRMS), pick(random, &FAMILIES)),
        _ => name,
    };
    let number = if random.between(0, 1) == 0 {
        mobile(random)
    } else {
        let area = pick(random, &["20", "30", "10", "50", "40", "70", "24", "43"]);
        format!("+31{area}{:07}", random.between(2_000_000, 7_999_999))
    };
    (voice, name, number)
}

/// A mobile number.
pub(crate) fn mobile(random: &mut Random) -> String {
    format!("+316{:08}", random.between(10_000_000, 89_999_999))
}

/// A department, the larger ones more often.
pub(crate) fn department(random: &mut Random) -> &'static str {
    let mut left = random.between(1, DEPARTMENTS.iter().map(|(_, share)| share).sum());
    let hit = DEPARTMENTS.iter().find(|(_, share)| {
        let hit = *share >= left;
        left = left.saturating_sub(*share);
        hit
    });
    hit.map_or("Verkoop", |(name, _)| name)
}

/// The local part of an e-mail address: small letters, digits and points only (accents are left off).
pub(crate) fn mailbox(name: &str) -> String {
    let mut local = String::new();
    for letter in name.chars() {
        match fold(letter) {
            letter if letter.is_ascii_alphanumeric() => local.push(letter),
            'ß' => local.push_str("ss"),
            ' ' | '-' if !local.ends_with('.') => local.push('.'),
            _ => {}
        }
    }
    local.trim_matches('.').to_owned()
}

/// A letter without its accent, small.
pub(crate) fn fold(letter: char) -> char {
    match letter.to_lowercase().next().unwrap_or(letter) {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'é' | 'è' | 'ê' | 'ë' | 'ę' => 'e',
        'ğ' => 'g',
        'í' | 'ì' | 'î' | 'ï' | 'ı' => 'i',
        'ł' => 'l',
        'ñ' | 'ń' => 'n',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' => 'o',
        'ş' | 'š' | 'ś' => 's',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ý' | 'ÿ' => 'y',
        'ž' | 'ź' | 'ż' => 'z',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_no_accents() {
        assert_eq!(mailbox("Zoë van 't Hof"), "zoe.van.t.hof");
        assert_eq!(mailbox("Özgür Yıldız"), "ozgur.yildiz");
        assert_eq!(mailbox("Björn Weiß"), "bjorn.weiss");
        assert_eq!(mailbox("!"), "");
    }

    #[test]
    fn every_name_makes_an_address() {
        for first in WOMEN.iter().chain(&MEN) {
            for family in FAMILIES {
                let local = mailbox(&format!("{first} {family}"));
                let fits = |c: char| c.is_ascii_lowercase() || c == '.';
                assert!(local.chars().all(fits) && local.len() > 3, "{first} {family}: {local}");
            }
        }
    }

    #[test]
    fn departments_come_by_their_share() {
        let mut random = Random::from_seed([4; 32]);
        let names: Vec<&str> = (0..1_000).map(|_| department(&mut random)).collect();
        let count = |name: &str| names.iter().filter(|own| **own == name).count();
        assert!((180..300).contains(&count("Support")), "{}", count("Support"));
        assert!(count("Directie") < 70);
    }
}
