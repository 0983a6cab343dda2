//! Text of strangers, as it can be shown, kept and compared: nothing in it turns the text around it, breaks its line or is there
//! without being seen.

/// Marks that turn the direction of text, so that it reads as something else (Unicode Standard Annex 9, section 2).
pub fn is_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Marks that show nothing: those of direction, and what comes along when text is copied from a web page.
pub fn is_invisible(c: char) -> bool {
    is_direction(c) || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{feff}')
}

/// A name as it can be shown: without marks of direction and without anything that breaks its line. All else stays.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !is_direction(*c)).collect()
}

/// A value as it is kept: one line with single spaces, without what shows nothing, made of at most `most` characters of the
/// text.
pub fn tidy(text: &str, most: usize) -> String {
    let seen = |c: char| match c {
        c if c.is_whitespace() || c.is_control() => Some(' '),
        c if is_invisible(c) => None,
        c => Some(c),
    };
    let text: String = text.chars().filter_map(seen).take(most).collect();
    text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_turns_text_around_or_hides_in_it() {
        let text = " Jan\u{202e}\u{61c} de\u{200b}\u{feff}\r\n\tWit\u{2069}\u{7} ";
        assert_eq!(plain(text), " Jan de\u{200b}\u{feff}Wit ");
        assert_eq!(tidy(text, 100), "Jan de Wit");
        assert_eq!(tidy("Zoë  de Wit", 5), "Zoë");
        // A joiner is part of how some scripts are written: names keep it where they are only shown.
        assert_eq!(plain("\u{0645}\u{200c}\u{0647}"), "\u{0645}\u{200c}\u{0647}");
    }
}
