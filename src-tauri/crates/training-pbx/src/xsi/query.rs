//! Paths and queries: percent-encoding, words in any case, paging, and the searches of directories.

/// Most results of one page.
pub(crate) const MOST: usize = 1_000;

/// A request's path and query, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Address {
    /// The parts of the path, as written.
    pub(crate) parts: Vec<String>,
    /// Names and values, in their order.
    pub(crate) query: Vec<(String, String)>,
}

impl Address {
    /// Takes a request target apart.
    pub(crate) fn parse(target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parts = path.split('/').filter(|part| !part.is_empty()).map(|part| decode(part, false));
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name, true), decode(value, true))
        };
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(pair);
        Self { parts: parts.collect(), query: query.collect() }
    }

    /// The first value of a name, in any case.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let fits = |pair: &&(String, String)| pair.0.eq_ignore_ascii_case(name);
        self.query.iter().find(fits).map(|pair| pair.1.as_str())
    }

    /// All values of a name, in any case.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let fits = move |pair: &&(String, String)| pair.0.eq_ignore_ascii_case(name);
        self.query.iter().filter(fits).map(|pair| pair.1.as_str())
    }

    /// A value that is `true`.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The words of the path in lower case, from the `skip`th on.
    pub(crate) fn words(&self, skip: usize) -> Vec<String> {
        self.parts.iter().skip(skip).map(|part| part.to_ascii_lowercase()).collect()
    }
}

/// Bytes by their percent codes; in queries `+` is a space. What is no UTF-8 then is ISO-8859-1.
fn decode(text: &str, is_query: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'+', _) if is_query => {
                bytes.push(b' ');
                rest = tail;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| error.into_bytes().iter().map(|&byte| char::from(byte)).collect())
}

/// One page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// Number of the first, from 1.
    pub(crate) start: usize,
    /// How many at most.
    pub(crate) results: usize,
}

impl Page {
    /// What the query asks for; the operator's `cap` goes first. `None` for numbers that make no sense.
    pub(crate) fn read(address: &Address, cap: usize) -> Option<Self> {
        let number = |name: &str, usual: usize| match address.value(name) {
            None => Some(usual),
            Some(text) => text.parse().ok().filter(|number| *number >= 1),
        };
        let start = number("start", 1)?;
        let results = number("results", cap)?;
        (results <= MOST).then_some(Self { start, results: results.min(cap) })
    }

    /// The page of a list.
    pub(crate) fn cut<T>(self, all: Vec<T>) -> Vec<T> {
        all.into_iter().skip(self.start - 1).take(self.results).collect()
    }
}

/// A value to search for: `*` stands for anything, `/i` at the end ignores case, `\/` is a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pieces: Vec<String>,
    ignore_case: bool,
}

impl Pattern {
    /// Reads a value of a query.
    pub(crate) fn parse(value: &str) -> Self {
        let lower = value.to_ascii_lowercase();
        let marked = lower.ends_with("/i") && !lower.ends_with("\\/i");
        let value = if marked { value.get(..value.len() - 2).unwrap_or_default() } else { value };
        let value = value.replace("\\/", "/");
        let value = if marked { value.to_lowercase() } else { value };
        Self { pieces: value.split('*').map(str::to_owned).collect(), ignore_case: marked }
    }

    /// Whether a text is what is searched for.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text = if self.ignore_case { text.to_lowercase() } else { text.to_owned() };
        let Some((first, others)) = self.pieces.split_first() else { return false };
        let Some((last, middle)) = others.split_last() else { return text == *first };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            match rest.find(piece.as_str()) {
                Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }
}

/// What an entry can be searched by: names of the query with the entry's values.
pub(crate) type Fields<'a> = [(&'a str, &'a str)];

/// Whether an entry is searched for: all conditions, or one of them with `searchCriteriaModeOr=true`. Names that mean
/// nothing here are ignored.
pub(crate) fn is_wanted(address: &Address, fields: &Fields<'_>) -> bool {
    let mut conditions = fields
        .iter()
        .flat_map(|(name, text)| address.values(name).map(move |value| (value, *text)))
        .map(|(value, text)| Pattern::parse(value).matches(text))
        .peekable();
    if conditions.peek().is_none() {
        return true;
    }
    match address.is("searchCriteriaModeOr") {
        true => conditions.any(|met| met),
        false => conditions.all(|met| met),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_decoded() {
        let address =
            Address::parse("/V2.0/User/a%40b/calls/New?address=tel%3A%2B31%2020&x=a+b&flag");
        assert_eq!(address.parts, ["V2.0", "User", "a@b", "calls", "New"]);
        assert_eq!(address.value("ADDRESS"), Some("tel:+31 20"));
        assert_eq!(address.value("x"), Some("a b"));
        assert_eq!(address.value("flag"), Some(""));
        assert_eq!(Address::parse("/%E9%/%2").parts, ["é%", "%2"]);
    }

    #[test]
    fn patterns_know_stars_slashes_and_case() {
        let matches = |pattern: &str, text: &str| Pattern::parse(pattern).matches(text);
        assert!(matches("Jans*", "Jansen") && !matches("jans*", "Jansen"));
        assert!(matches("jans*/i", "Jansen") && matches("*SEN/I", "Jansen"));
        assert!(matches("*a*s*", "Jansen") && !matches("*s*a*", "Jansen"));
        assert!(matches("a\\/i", "a/i") && !matches("a\\/i", "A/I"));
        assert!(matches("", "") && !matches("", "x") && matches("*", "x"));
        assert!(!matches("ab*ba", "aba") && matches("ab*ba", "abba"));
    }

    #[test]
    fn conditions_are_joined_by_and_or_or() {
        let wanted = |target: &str| {
            let fields = [("firstName", "Jan"), ("lastName", "Smit")];
            is_wanted(&Address::parse(target), &fields)
        };
        assert!(wanted("/x") && wanted("/x?colour=red") && wanted("/x?firstName=Jan&lastName=S*"));
        assert!(!wanted("/x?firstName=Jan&lastName=K*"));
        assert!(wanted("/x?firstName=Jan&lastName=K*&searchCriteriaModeOr=true"));
    }

    #[test]
    fn pages_are_counted_from_one() {
        let page = |target: &str| Page::read(&Address::parse(target), 50);
        assert_eq!(page("/x"), Some(Page { start: 1, results: 50 }));
        assert_eq!(
            page("/x?start=3&results=2").map(|p| p.cut(vec![1, 2, 3, 4, 5])),
            Some(vec![3, 4])
        );
        assert_eq!(page("/x?results=500"), Some(Page { start: 1, results: 50 }));
        assert_eq!(
            (page("/x?start=0"), page("/x?results=1001"), page("/x?start=a")),
            (None, None, None)
        );
    }
}
