//! Search as you type over people in memory: first letters of any word, initials, parts of a number;
//! accents and case ignored.

use crate::dial::number_of;
use crate::key::NumberKey;

/// Somebody who can be found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Name.
    pub name: String,
    /// Numbers in any notation.
    pub numbers: Vec<String>,
    /// Other words to be found by: department, company.
    pub words: String,
}

/// People, ready to be searched. Results are positions in the order of entering.
#[derive(Debug, Clone, Default)]
pub struct Index {
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    name: String,
    initials: String,
    words: String,
    /// Every notation of every number, `|` between.
    digits: String,
    keys: Vec<NumberKey>,
}

impl Index {
    /// An index of these, in this order.
    pub fn new<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Index {
        Index { rows: entries.into_iter().map(Row::new).collect() }
    }

    /// The best `limit` matches, best first; equally good ones in the order of entering. Every word
    /// of the text must be found. Empty text finds nothing.
    pub fn search(&self, text: &str, limit: usize) -> Vec<usize> {
        let queries = words_of(text);
        if queries.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(u32, usize)> = Vec::new();
        for (position, row) in self.rows.iter().enumerate() {
            let cost: Option<u32> =
                queries.iter().enumerate().map(|(index, query)| row.cost(query, index == 0)).sum();
            found.extend(cost.map(|cost| (cost, position)));
        }
        found.sort_unstable();
        found.truncate(limit);
        found.into_iter().map(|(_, position)| position).collect()
    }

    /// Everybody with this number, in any notation.
    pub fn lookup(&self, number: &str) -> Vec<usize> {
        let Some(key) = NumberKey::of(number) else { return Vec::new() };
        let has = |row: &Row| row.keys.contains(&key);
        self.rows.iter().enumerate().filter(|(_, row)| has(row)).map(|(at, _)| at).collect()
    }
}

impl Row {
    fn new(entry: &Entry) -> Row {
        let name = fold(&entry.name);
        let initials = split(&name).filter_map(|word| word.chars().next()).collect();
        let keys: Vec<NumberKey> =
            entry.numbers.iter().filter_map(|number| NumberKey::of(number)).collect();
        let mut digits = String::new();
        for key in &keys {
            digits.push('|');
            digits.push_str(key.as_str().trim_start_matches('+'));
            if let Some(national) = key.national() {
                digits.push('|');
                digits.push_str(&national);
            }
        }
        Row { name, initials, words: fold(&entry.words), digits, keys }
    }

    /// How far the match is from the best; none: no match.
    fn cost(&self, query: &str, first: bool) -> Option<u32> {
        if query.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#')) {
            return self.digit_cost(query);
        }
        if self.name.starts_with(query) {
            return Some(if first { 0 } else { 1 });
        }
        if split(&self.name).any(|word| word.starts_with(query)) {
            return Some(1);
        }
        if query.len() > 1 && self.initials.starts_with(query) {
            return Some(2);
        }
        if split(&self.words).any(|word| word.starts_with(query)) {
            return Some(4);
        }
        (query.len() > 2 && self.name.contains(query)).then_some(5)
    }

    fn digit_cost(&self, query: &str) -> Option<u32> {
        let starts = self.digits.match_indices(query).map(|(at, _)| {
            let before = at.checked_sub(1).and_then(|at| self.digits.as_bytes().get(at));
            let end = self.digits.as_bytes().get(at + query.len());
            match (before == Some(&b'|'), end.is_none_or(|byte| *byte == b'|')) {
                (true, true) => 0,
                (true, false) => 2,
                _ => 4,
            }
        });
        let in_name = || split(&self.name).any(|word| word.starts_with(query)).then_some(1);
        starts.min().or_else(in_name)
    }
}

/// The words to look for; a number with separators is one word.
fn words_of(text: &str) -> Vec<String> {
    if let Ok(Some(number)) = number_of(text) {
        let number = number.trim_start_matches('+');
        return vec![number.strip_prefix("00").unwrap_or(number).to_owned()];
    }
    let folded = fold(text);
    split(&folded).map(str::to_owned).collect()
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '*' | '#')))
        .filter(|word| !word.is_empty())
}

/// Lower case without accents: `Noël` and `NOEL` fold to `noel`, `Straße` to `strasse`.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            '\u{300}'..='\u{36f}' | '\'' | '\u{2019}' => {}
            'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' => out.push('a'),
            'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => out.push('c'),
            'ď' | 'đ' | 'ð' => out.push('d'),
            'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => out.push('e'),
            'ĝ' | 'ğ' | 'ġ' | 'ģ' => out.push('g'),
            'ĥ' | 'ħ' => out.push('h'),
            'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => out.push('i'),
            'ĵ' => out.push('j'),
            'ķ' => out.push('k'),
            'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => out.push('l'),
            'ñ' | 'ń' | 'ņ' | 'ň' => out.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => out.push('o'),
            'ŕ' | 'ŗ' | 'ř' => out.push('r'),
            'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => out.push('s'),
            'ţ' | 'ť' | 'ŧ' | 'ț' => out.push('t'),
            'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => out.push('u'),
            'ŵ' => out.push('w'),
            'ý' | 'ÿ' | 'ŷ' => out.push('y'),
            'ź' | 'ż' | 'ž' => out.push('z'),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ß' => out.push_str("ss"),
            'þ' => out.push_str("th"),
            'ĳ' => out.push_str("ij"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Vec<Entry> {
        let entry = |name: &str, number: &str, words: &str| Entry {
            name: name.into(),
            numbers: vec![number.into()],
            words: words.into(),
        };
        vec![
            entry("Jan van den Berg", "101", "Verkoop"),
            entry("Noël Müller", "102", "Magazijn"),
            entry("Berg en Dal BV", "+31302318800", ""),
            entry("Anneke Jansen", "0612345678", "Inkoop"),
            entry("Øyvind d'Hondt", "1010", "Directie"),
        ]
    }

    fn found(text: &str) -> Vec<usize> {
        Index::new(&people()).search(text, 20)
    }

    #[test]
    fn first_letters_initials_and_accents() {
        assert_eq!(found("muller"), [1]);
        assert_eq!(found("MÜL"), [1]);
        assert_eq!(found("noel"), [1]);
        assert_eq!(found("Noe\u{308}l"), [1]);
        assert_eq!(found("jvdb"), [0]);
        assert_eq!(found("j"), [0, 3]);
        assert_eq!(found("berg"), [2, 0]);
        assert_eq!(found("jan b"), [0]);
        assert_eq!(found("oyv"), [4]);
        assert_eq!(found("dhondt"), [4]);
        assert_eq!(found("inko"), [3]);
        assert_eq!(found("nsen"), [3]);
        assert!(found("xyz").is_empty());
        assert!(found("").is_empty());
    }

    #[test]
    fn parts_of_numbers() {
        assert_eq!(found("101"), [0, 4]);
        assert_eq!(found("030 231"), [2]);
        assert_eq!(found("2318"), [2]);
        assert_eq!(found("+31 30"), [2]);
        assert_eq!(found("345678"), [3]);
    }

    #[test]
    fn lookup_in_any_notation() {
        let index = Index::new(&people());
        assert_eq!(index.lookup("+31612345678"), [3]);
        assert_eq!(index.lookup("sip:0302318800@pbx"), [2]);
        assert_eq!(index.lookup("101"), [0]);
        assert!(index.lookup("jan").is_empty());
    }

    #[test]
    fn the_limit_holds() {
        assert_eq!(Index::new(&people()).search("1", 2).len(), 2);
    }
}
