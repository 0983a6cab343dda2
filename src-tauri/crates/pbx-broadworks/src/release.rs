//! What which release of BroadWorks can do (reference, section 8.9 and the tables of section 3).

use crate::xml::Element;

/// A release by its number: 21 of 2014, 24 and later of 2020.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// Before the point.
    pub major: u16,
    /// After it.
    pub minor: u16,
}

impl Default for Release {
    /// The oldest one, which offers the least.
    fn default() -> Self {
        Self::R21
    }
}

impl Release {
    /// Release 21 of 2014.
    pub const R21: Self = Self { major: 21, minor: 0 };
    /// The releases of 2020.
    pub const R2020: Self = Self { major: 24, minor: 0 };

    /// From the answer of `GET versions`: the newest of the numbers in it.
    pub fn read(root: &Element) -> Option<Self> {
        fn numbers(element: &Element, found: &mut Vec<Release>) {
            found.extend(Release::parse(element.text.trim()));
            element.children.iter().for_each(|child| numbers(child, found));
        }
        let mut found = Vec::new();
        numbers(root, &mut found);
        found.into_iter().max()
    }

    /// From text such as `21.0` or `2020.07`. Releases that are called by their year count as that year's.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        let minor = minor.split('.').next()?.parse().ok()?;
        match major.trim().parse().ok()? {
            major @ 1..=99 => Some(Self { major, minor }),
            2015..=2100 => Some(Self { minor, ..Self::R2020 }),
            _ => None,
        }
    }

    fn is_2020(self) -> bool {
        self >= Self::R2020
    }

    /// `calls/CoachAgent` and changes between listening, coaching and barging in.
    pub fn has_coaching(self) -> bool {
        self.is_2020()
    }

    /// `declineReason`.
    pub fn has_decline_reason(self) -> bool {
        self.is_2020()
    }

    /// `mpName`: search over all names.
    pub fn has_name_search(self) -> bool {
        self.is_2020()
    }

    /// `CallForwardingAlwaysSecondary`.
    pub fn has_secondary_forwarding(self) -> bool {
        self.major >= 22
    }

    /// Muting the own leg of a conference.
    pub fn has_own_mute(self) -> bool {
        self.major >= 22
    }

    /// `profile/Device/{linePort}`.
    pub fn has_single_device(self) -> bool {
        self.is_2020()
    }

    /// Signing in with the password of the SIP account.
    pub fn has_sip_sign_in(self) -> bool {
        self.is_2020()
    }
}

#[cfg(test)]
mod tests {
    use super::Release;
    use crate::xml::read;

    #[test]
    fn the_newest_number_counts() {
        let text = "<Versions xmlns='http://schema.broadsoft.com/xsi'><commands><baseline>21.0</baseline>\
                    <call>22.0</call></commands><schema>odd</schema></Versions>";
        let release = Release::read(&read(text.as_bytes(), None).unwrap()).unwrap();
        assert_eq!(release, Release { major: 22, minor: 0 });
        assert!(release.has_own_mute() && !release.has_coaching());
        assert_eq!(Release::parse("2020.07"), Some(Release { major: 24, minor: 7 }));
        assert_eq!(
            (Release::parse("x"), Release::parse(""), Release::parse("0.1")),
            (None, None, None)
        );
        assert!(!Release::default().has_secondary_forwarding());
    }
}
