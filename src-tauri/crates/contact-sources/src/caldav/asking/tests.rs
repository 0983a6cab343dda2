//! Questions to servers of several kinds, told word by word.

use super::*;
use crate::Standing;

/// 26 November 2026, 14:30.
const NOW: u64 = 1_795_703_400_000;
const HOUR: u64 = 3_600_000;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn account(user: &str, outbox: Option<&str>) -> Account {
    let found = Found {
        homes: vec![url("https://dav.x.nl/c/jan/")],
        book: None,
        principal: Some(url(&format!("https://dav.x.nl/p/{user}/"))),
        outbox: outbox.map(url),
        addresses: vec!["/p/jan/".into(), "mailto:jan@x.nl".into()],
    };
    Account { found, user: user.to_owned() }
}

fn asking(account: Account, addresses: &[&str]) -> Asking {
    let period = Period { from_ms: NOW, to_ms: NOW + 4 * HOUR };
    let asked: Vec<String> = addresses.iter().map(|one| (*one).to_owned()).collect();
    Asking::new(account, &asked, period, "u-1".into())
}

fn good(status: u16, body: &str) -> Answer {
    Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
}

fn status(status: u16) -> Answer {
    Answer { status, ..Answer::default() }
}

fn busy(from: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VFREEBUSY\r\nFREEBUSY:{from}/PT30M\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )
}

fn list(inside: &str) -> Answer {
    good(
        207,
        &format!(
            "<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">{inside}</multistatus>"
        ),
    )
}

fn calendar(href: &str, more: &str) -> String {
    format!(
        "<response><href>{href}</href><propstat><prop><resourcetype><collection/><C:calendar/></resourcetype>{more}\
         </prop></propstat></response>"
    )
}

fn asked(step: Result<Step<Vec<Availability>>, SourceError>) -> Ask {
    match step.unwrap() {
        Step::Ask(ask) => *ask,
        Step::Done(found) => panic!("{found:?}"),
    }
}

fn done(step: Result<Step<Vec<Availability>>, SourceError>) -> Vec<Availability> {
    match step.unwrap() {
        Step::Ask(ask) => panic!("{ask:?}"),
        Step::Done(found) => found,
    }
}

#[test]
fn the_outbox_is_asked_about_all_and_calendars_about_who_is_not_told_there() {
    let outbox = Some("https://dav.x.nl/out/");
    let mut asking = asking(account("jan@x.nl", outbox), &["piet@x.nl", "Kees@x.nl"]);
    let first = asked(asking.begin());
    assert_eq!((first.method, first.url.as_str()), ("POST", "https://dav.x.nl/out/"));
    assert!(first.body.contains("ATTENDEE:mailto:Kees@x.nl"), "{}", first.body);
    let told = format!(
        "<C:schedule-response xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">\
         <C:response><C:recipient><D:href>mailto:PIET@x.nl</D:href></C:recipient><C:request-status>2.0;Success</C:request-status>\
         <C:calendar-data>{}</C:calendar-data></C:response>\
         <C:response><C:recipient><D:href>mailto:kees@x.nl</D:href></C:recipient><C:request-status>3.7;x</C:request-status>\
         </C:response></C:schedule-response>",
        busy("20261126T143000Z")
    );
    // Kees is not told there: his place beside one's own is looked at.
    let next = asked(asking.answered(&good(200, &told)));
    assert_eq!((next.method, next.url.path()), ("PROPFIND", "/p/Kees@x.nl/"));
    let found = done(asking.answered(&status(404)));
    let now = found[0].at(NOW).unwrap();
    assert_eq!((now.standing, now.free_ms), (Standing::Busy, Some(NOW + HOUR / 2)));
    assert!(found[1].spans.is_empty(), "who is not told is not called free");
}

#[test]
fn without_an_outbox_each_calendar_is_asked_and_one_that_is_not_shared_is_left_out() {
    let mut asking = asking(account("jan@x.nl", None), &["piet@x.nl", ""]);
    assert_eq!(asked(asking.begin()).url.path(), "/p/piet@x.nl/");
    let homes = "<response><href>/p/piet@x.nl/</href><propstat><prop><C:calendar-home-set><href>/c/piet/</href>\
                 </C:calendar-home-set></prop></propstat></response>";
    assert_eq!(asked(asking.answered(&list(homes))).url.path(), "/c/piet/");
    let all = [
        calendar("/c/piet/werk/", ""),
        calendar("/c/piet/thuis/", ""),
        calendar(
            "/c/piet/feest/",
            "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>",
        ),
        calendar(
            "/c/piet/taken/",
            "<C:supported-calendar-component-set><C:comp name=\"VTODO\"/></C:supported-calendar-component-set>",
        ),
        calendar("https://elders.nl/c/", ""),
    ];
    let ask = asked(asking.answered(&list(&all.concat())));
    assert_eq!((ask.method, ask.url.path()), ("REPORT", "/c/piet/werk/"));
    assert!(ask.body.contains("start=\"20261126T143000Z\" end=\"20261126T183000Z\""));
    let next = asked(asking.answered(&good(200, &busy("20261126T150000Z"))));
    assert_eq!(next.url.path(), "/c/piet/thuis/");
    // Then one's own.
    assert_eq!(asked(asking.answered(&status(403))).url.path(), "/c/jan/");
    let ask = asked(asking.answered(&list(&calendar("/c/jan/werk/", ""))));
    assert_eq!(ask.url.path(), "/c/jan/werk/");
    let found = done(asking.answered(&good(200, &busy("20261126T143000Z"))));
    let now = found[0].at(NOW).unwrap();
    assert_eq!((now.standing, now.until_ms), (Standing::Free, Some(NOW + HOUR / 2)));
    assert_eq!(found[1].at(NOW).unwrap().standing, Standing::Busy);
}

#[test]
fn a_calendar_that_cannot_be_read_makes_nobody_free() {
    for broken in [status(500), good(200, "<html>")] {
        let mut asking = asking(account("jan@x.nl", None), &[""]);
        asking.begin().unwrap();
        let two = [calendar("/c/jan/a/", ""), calendar("/c/jan/b/", "")].concat();
        asking.answered(&list(&two)).unwrap();
        asking.answered(&broken).unwrap();
        let found = done(asking.answered(&good(200, &busy("20261126T143000Z"))));
        assert!(found[0].spans.is_empty(), "{found:?}");
    }
}

#[test]
fn a_password_that_is_refused_and_a_server_with_too_much_to_do_end_it() {
    for (code, wanted) in
        [(401, SourceError::Refused), (503, SourceError::Overloaded { retry_after: None })]
    {
        let mut asking = asking(account("jan@x.nl", None), &[""]);
        asking.begin().unwrap();
        assert_eq!(asking.answered(&status(code)).unwrap_err(), wanted);
    }
}

#[test]
fn a_neighbour_is_looked_for_only_where_he_would_be() {
    let path = |user: &str, address: &str| {
        account(user, None).neighbour(address).map(|url| url.path().to_owned())
    };
    assert_eq!(path("jan@x.nl", "piet@y.nl").as_deref(), Some("/p/piet@y.nl/"));
    assert_eq!(path("jan", "piet@x.nl").as_deref(), Some("/p/piet/"));
    assert_eq!(path("jan", "piet@y.nl"), None, "another company's Piet is somebody else");
    assert_eq!(path("jan", "piet@nl"), None);
    assert_eq!(path("jan", "..@x.nl"), None);
    for bad in ["a/b@x.nl", "a\r\nb@x.nl", "@x.nl", "a@", "nobody"] {
        assert!(!is_address(bad), "{bad}");
    }
    // Who says that he is somebody else is.
    let mut asking = asking(account("jan@x.nl", None), &["piet@x.nl"]);
    asking.begin().unwrap();
    let other = "<response><href>/p/</href><propstat><prop><C:calendar-home-set><href>/c/</href></C:calendar-home-set>\
                 <C:calendar-user-address-set><href>mailto:k@x.nl</href></C:calendar-user-address-set></prop></propstat></response>";
    assert!(done(asking.answered(&list(other)))[0].spans.is_empty());
}
