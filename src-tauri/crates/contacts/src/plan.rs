//! The Dutch numbering plan: what kind of number something is, and what should be asked before it is dialled.
//!
//! Source: the plan as the regulator (ACM) publishes it. The library for the numbers of all countries cannot tell 0900
//! from 0906 nor 087 from 088, and knows neither 113 nor 144, so these are a table of ours.

use crate::world;

/// What kind of number something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberClass {
    /// 112: never asked about, never changed.
    Emergency,
    /// Short numbers of public services: 113, 144, 116xxx.
    PublicService,
    /// 18xy: subscriber information.
    Information,
    /// 14 and an area code: a municipality.
    Municipality,
    /// Other short numbers of two to four digits: an extension.
    Extension,
    /// Begins with `*` or `#`: for the exchange.
    FeatureCode,
    /// A place.
    Geographic,
    /// 061 to 065, 068.
    Mobile,
    /// 066.
    Pager,
    /// 067.
    Data,
    /// 082: a company's own network.
    PrivateNetwork,
    /// 084, 087: forwarded somewhere; dear, and often used for fraud.
    PersonalAssistant,
    /// 085, 091: no place.
    LocationIndependent,
    /// 088: companies.
    Company,
    /// 097: machines.
    MachineToMachine,
    /// 0800.
    Free,
    /// 0900: information.
    Premium,
    /// 0906: erotic.
    Adult,
    /// 0909: amusement.
    Amusement,
    /// A satellite or a network of no country.
    Satellite,
    /// +800.
    InternationalFree,
    /// Premium-rate in another country.
    InternationalPremium,
    /// Another country.
    International,
    /// None of these.
    Unknown,
}

impl NumberClass {
    /// Costs more than people expect: ask once before it is dialled.
    pub fn asks_first(self) -> bool {
        matches!(
            self,
            Self::Information
                | Self::Pager
                | Self::Data
                | Self::PersonalAssistant
                | Self::Premium
                | Self::Adult
                | Self::Amusement
                | Self::Satellite
                | Self::InternationalPremium
                | Self::International
        )
    }
}

/// The class of a dial string (digits, perhaps with `+`, `*`, `#`), as it is dialled in the Netherlands.
///
/// `extension`: the exchange is known to have this number itself. Emergency numbers stay what they are.
pub fn classify(dial: &str, extension: bool) -> NumberClass {
    match dial {
        "112" => return NumberClass::Emergency,
        _ if extension => return NumberClass::Extension,
        _ if dial.contains(['*', '#']) => return NumberClass::FeatureCode,
        _ => {}
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = dial.strip_prefix('+').or_else(|| international(dial)) {
        return match rest.strip_prefix("31") {
            _ if !digits(rest) => NumberClass::Unknown,
            Some(national) => of_national(national.strip_prefix('0').unwrap_or(national)),
            None => of_world(rest),
        };
    }
    match dial.strip_prefix('0') {
        _ if !digits(dial) => NumberClass::Unknown,
        Some(national) => of_national(national),
        None => of_short(dial),
    }
}

/// What follows 00, when it is long enough to be a number.
pub(crate) fn international(dial: &str) -> Option<&str> {
    dial.strip_prefix("00").filter(|rest| rest.len() >= 8 && !rest.starts_with('0'))
}

fn of_short(dial: &str) -> NumberClass {
    let area = dial.strip_prefix("14").filter(|area| area.starts_with('0'));
    match (dial, dial.len()) {
        ("113" | "144", _) => NumberClass::PublicService,
        (_, 6) if dial.starts_with("116") => NumberClass::PublicService,
        (_, 4) if dial.starts_with("18") => NumberClass::Information,
        _ if area.is_some_and(|area| matches!(area.len(), 3 | 4)) => NumberClass::Municipality,
        (_, 2..=4) => NumberClass::Extension,
        // Exchanges often leave the plus off.
        (_, 11) => match dial.strip_prefix("31") {
            Some(national) if !national.starts_with('0') => of_national(national),
            _ => NumberClass::Unknown,
        },
        _ => NumberClass::Unknown,
    }
}

/// A Dutch number without its zero.
fn of_national(rest: &str) -> NumberClass {
    let service = matches!(rest.len(), 7 | 10);
    match (rest.as_bytes(), rest.len()) {
        ([b'8', b'0', b'0', ..], _) if service => NumberClass::Free,
        ([b'9', b'0', b'0', ..], _) if service => NumberClass::Premium,
        ([b'9', b'0', b'6', ..], _) if service => NumberClass::Adult,
        ([b'9', b'0', b'9', ..], _) if service => NumberClass::Amusement,
        ([b'9', b'7', ..], 9 | 11) => NumberClass::MachineToMachine,
        ([b'6', b'1'..=b'5' | b'8', ..], 9) => NumberClass::Mobile,
        ([b'6', b'6', ..], 9) => NumberClass::Pager,
        ([b'6', b'7', ..], 9) => NumberClass::Data,
        ([b'8', b'2', ..], 9) => NumberClass::PrivateNetwork,
        ([b'8', b'4' | b'7', ..], 9) => NumberClass::PersonalAssistant,
        ([b'8', b'5', ..] | [b'9', b'1', ..], 9) => NumberClass::LocationIndependent,
        ([b'8', b'8', ..], 9) => NumberClass::Company,
        ([b'1'..=b'5' | b'7', ..], 9) => NumberClass::Geographic,
        _ => NumberClass::Unknown,
    }
}

fn of_world(rest: &str) -> NumberClass {
    if ["870", "881", "882", "883"].iter().any(|code| rest.starts_with(code)) {
        return NumberClass::Satellite;
    }
    if rest.starts_with("800") {
        return NumberClass::InternationalFree;
    }
    match world::kind(rest) {
        world::Kind::Premium => NumberClass::InternationalPremium,
        // Where no country has such a number, nobody knows what it would cost.
        world::Kind::Valid | world::Kind::Invalid => NumberClass::International,
    }
}

/// Is this (without its zero) a number of the Dutch plan?
pub(crate) fn is_national(rest: &str) -> bool {
    rest.bytes().all(|byte| byte.is_ascii_digit()) && of_national(rest) != NumberClass::Unknown
}

#[cfg(test)]
mod tests {
    use NumberClass::*;

    use super::*;

    const TABLE: [(&str, NumberClass); 61] = [
        ("112", Emergency),
        ("113", PublicService),
        ("144", PublicService),
        ("116000", PublicService),
        ("116111", PublicService),
        ("1850", Information),
        ("1888", Information),
        ("1800", Information),
        ("14020", Municipality),
        ("140341", Municipality),
        ("12", Extension),
        ("101", Extension),
        ("1234", Extension),
        ("1400", Extension),
        ("*43", FeatureCode),
        ("*21*0612345678#", FeatureCode),
        ("#31#0612345678", FeatureCode),
        ("0201234567", Geographic),
        ("0302318800", Geographic),
        ("0341123456", Geographic),
        ("0703123456", Geographic),
        ("0612345678", Mobile),
        ("0681234567", Mobile),
        ("0651234567", Mobile),
        ("0661234567", Pager),
        ("0676012345", Data),
        ("0821234567", PrivateNetwork),
        ("0841234567", PersonalAssistant),
        ("0871234567", PersonalAssistant),
        ("0850123456", LocationIndependent),
        ("0911234567", LocationIndependent),
        ("0887654000", Company),
        ("0971234567", MachineToMachine),
        ("097012345678", MachineToMachine),
        ("08001234", Free),
        ("08001234567", Free),
        ("09008844", Premium),
        ("09001234567", Premium),
        ("09061234", Adult),
        ("09091234", Amusement),
        ("+31612345678", Mobile),
        ("0031612345678", Mobile),
        ("+310612345678", Mobile),
        ("31302318800", Geographic),
        ("+319008844", Premium),
        ("0080012345678", InternationalFree),
        ("+80012345678", InternationalFree),
        ("+881631234567", Satellite),
        ("00870773123456", Satellite),
        ("+32471234567", International),
        ("00493012345678", International),
        ("+12125550123", International),
        ("+449098790000", InternationalPremium),
        ("+886223456789", International),
        ("+8801712345678", International),
        ("061234567", Unknown),
        ("06123456789", Unknown),
        ("12345", Unknown),
        ("0", Unknown),
        ("+", Unknown),
        ("", Unknown),
    ];

    #[test]
    fn every_row_of_the_dutch_table() {
        for (dial, class) in TABLE {
            assert_eq!(classify(dial, false), class, "{dial}");
        }
    }

    #[test]
    fn an_extension_of_the_exchange_is_one_and_112_is_not() {
        assert_eq!(classify("1850", true), Extension);
        assert_eq!(classify("113", true), Extension);
        assert_eq!(classify("112", true), Emergency);
    }

    #[test]
    fn what_costs_more_is_asked_about_and_emergencies_are_not() {
        for dial in [
            "09008844",
            "09061234",
            "09091234",
            "1888",
            "0841234567",
            "0871234567",
            "0661234567",
            "0676012345",
            "+881631234567",
            "+32471234567",
        ] {
            assert!(classify(dial, false).asks_first(), "{dial}");
        }
        for dial in [
            "112",
            "113",
            "08001234",
            "0887654000",
            "0850123456",
            "14020",
            "0612345678",
            "101",
            "*43",
        ] {
            assert!(!classify(dial, false).asks_first(), "{dial}");
        }
    }
}
