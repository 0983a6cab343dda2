//! Reads `multistatus` (RFC 4918 section 13) and `schedule-response` (RFC 6638 section 10.1) as a stream: of a large answer
//! only what is wanted is ever held. Names are matched by namespace, never by prefix.

use std::borrow::Cow;

use quick_xml::NsReader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;

use crate::{Excess, SourceError, limits};

const DAV: &str = "DAV:";
const CARDDAV: &str = "urn:ietf:params:xml:ns:carddav";
const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
const CALENDAR_SERVER: &str = "http://calendarserver.org/ns/";

/// An answer of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Multistatus {
    pub(crate) responses: Vec<Response>,
    /// The token of RFC 6578.
    pub(crate) token: Option<String>,
}

/// What is said of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) href: String,
    /// The status of the resource as a whole, when there is one.
    pub(crate) status: Option<u16>,
    pub(crate) props: Props,
}

/// The properties that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Props {
    pub(crate) etag: String,
    /// A card.
    pub(crate) card: Option<String>,
    pub(crate) name: String,
    pub(crate) is_collection: bool,
    pub(crate) is_book: bool,
    pub(crate) principal: Option<String>,
    pub(crate) homes: Vec<String>,
    pub(crate) token: String,
    pub(crate) ctag: String,
    /// It knows the report of RFC 6578.
    pub(crate) reports_changes: bool,
    pub(crate) is_calendar: bool,
    /// Nothing in it makes its owner busy (RFC 6638 section 9.1).
    pub(crate) is_transparent: bool,
    /// What a calendar takes (RFC 4791 section 5.2.3); empty: it does not say.
    pub(crate) components: Vec<String>,
    pub(crate) calendar_homes: Vec<String>,
    /// Where others' calendars are asked about.
    pub(crate) outbox: Option<String>,
    /// By which addresses somebody is invited.
    pub(crate) addresses: Vec<String>,
    /// A document of iCalendar.
    pub(crate) calendar: Option<String>,
}

impl Props {
    fn take(&mut self, other: Props) {
        fn text(here: &mut String, there: String) {
            if here.is_empty() {
                *here = there;
            }
        }
        text(&mut self.etag, other.etag);
        text(&mut self.name, other.name);
        text(&mut self.token, other.token);
        text(&mut self.ctag, other.ctag);
        self.card = self.card.take().or(other.card);
        self.principal = self.principal.take().or(other.principal);
        self.homes.extend(other.homes);
        self.is_collection |= other.is_collection;
        self.is_book |= other.is_book;
        self.reports_changes |= other.reports_changes;
        self.is_calendar |= other.is_calendar;
        self.is_transparent |= other.is_transparent;
        self.components.extend(other.components);
        self.calendar_homes.extend(other.calendar_homes);
        self.outbox = self.outbox.take().or(other.outbox);
        self.addresses.extend(other.addresses);
        self.calendar = self.calendar.take().or(other.calendar);
    }
}

/// The elements that mean something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Multistatus,
    Response,
    Href,
    Status,
    Propstat,
    SyncToken,
    Etag,
    ResourceType,
    Collection,
    Title,
    Principal,
    Reports,
    SyncCollection,
    Homes,
    Book,
    Card,
    Ctag,
    Calendar,
    Transparency,
    Transparent,
    Components,
    Component,
    CalendarHomes,
    Outbox,
    Addresses,
    ScheduleResponse,
    Recipient,
    RequestStatus,
    CalendarData,
    Other,
}

fn name(space: &ResolveResult<'_>, local: &str) -> Name {
    let space = match space {
        ResolveResult::Bound(space) => space.0.trim(),
        // A prefix nobody declared, or none at all: nothing here is without a namespace.
        ResolveResult::Unbound | ResolveResult::Unknown(_) => return Name::Other,
    };
    match (space, local) {
        (DAV, "multistatus") => Name::Multistatus,
        (DAV, "response") => Name::Response,
        (DAV, "href") => Name::Href,
        (DAV, "status") => Name::Status,
        (DAV, "propstat") => Name::Propstat,
        (DAV, "sync-token") => Name::SyncToken,
        (DAV, "getetag") => Name::Etag,
        (DAV, "resourcetype") => Name::ResourceType,
        (DAV, "collection") => Name::Collection,
        (DAV, "displayname") => Name::Title,
        (DAV, "current-user-principal" | "principal-URL") => Name::Principal,
        (DAV, "supported-report-set") => Name::Reports,
        (DAV, "sync-collection") => Name::SyncCollection,
        (CARDDAV, "addressbook-home-set") => Name::Homes,
        (CARDDAV, "addressbook") => Name::Book,
        (CARDDAV, "address-data") => Name::Card,
        (CALENDAR_SERVER, "getctag") => Name::Ctag,
        (CALDAV, "calendar") => Name::Calendar,
        (CALDAV, "schedule-calendar-transp") => Name::Transparency,
        (CALDAV, "transparent") => Name::Transparent,
        (CALDAV, "supported-calendar-component-set") => Name::Components,
        (CALDAV, "comp") => Name::Component,
        (CALDAV, "calendar-home-set") => Name::CalendarHomes,
        (CALDAV, "schedule-outbox-URL") => Name::Outbox,
        (CALDAV, "calendar-user-address-set") => Name::Addresses,
        (CALDAV, "schedule-response") => Name::ScheduleResponse,
        // It is built as a response of WebDAV is.
        (CALDAV, "response") => Name::Response,
        (CALDAV, "recipient") => Name::Recipient,
        (CALDAV, "request-status") => Name::RequestStatus,
        (CALDAV, "calendar-data") => Name::CalendarData,
        _ => Name::Other,
    }
}

/// What is being read.
#[derive(Debug, Default)]
struct Building {
    stack: Vec<Name>,
    text: String,
    /// The text of the innermost element has grown too long to be of use.
    cut: bool,
    whole: Multistatus,
    response: Response,
    /// Properties whose status is not known yet.
    props: Props,
    status: Option<u16>,
}

/// Reads an answer.
///
/// # Errors
/// When it is no such document, or holds more than is taken.
pub(crate) fn read(bytes: &[u8]) -> Result<Multistatus, SourceError> {
    read_as(bytes, Name::Multistatus)
}

/// Reads what came of a request to others: whom it is from by `href`, a status where it was refused, and the document.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_schedule(bytes: &[u8]) -> Result<Multistatus, SourceError> {
    read_as(bytes, Name::ScheduleResponse)
}

fn read_as(bytes: &[u8], root: Name) -> Result<Multistatus, SourceError> {
    let text = decode(bytes);
    let mut reader =
        NsReader::from_str(text.trim_start_matches(['\u{feff}', '\r', '\n', ' ', '\t']));
    let mut building = Building::default();
    let mut found = false;
    loop {
        let (space, event) = reader.read_resolved_event().map_err(|_| SourceError::Malformed)?;
        match event {
            Event::Start(start) => {
                let name = name(&space, start.local_name().into_inner());
                found |= building.stack.is_empty() && name == root;
                building.open(name)?;
                building.attributes(name, &start);
            }
            Event::Empty(start) => {
                let name = name(&space, start.local_name().into_inner());
                found |= building.stack.is_empty() && name == root;
                building.open(name)?;
                building.attributes(name, &start);
                building.close()?;
            }
            Event::End(_) => building.close()?,
            Event::Text(text) => building.append(&text.xml10_content()),
            Event::CData(text) => building.append(&text.xml10_content()),
            Event::GeneralRef(reference) => building.append(&resolve(&reference)?),
            Event::DocType(_) => return Err(SourceError::Malformed),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
        if !found && !building.stack.is_empty() {
            // Some other document, most likely a web page.
            return Err(SourceError::NotASource);
        }
    }
    match building.stack.is_empty() && found {
        true => Ok(building.whole),
        false => Err(SourceError::Malformed),
    }
}

impl Building {
    fn open(&mut self, name: Name) -> Result<(), SourceError> {
        if self.stack.len() >= limits::DEPTH {
            return Err(SourceError::Excess(Excess::Depth));
        }
        match name {
            Name::Response => {
                (self.response, self.props) = (Response::default(), Props::default());
            }
            Name::Propstat => (self.props, self.status) = (Props::default(), None),
            _ => {}
        }
        self.stack.push(name);
        self.text.clear();
        self.cut = false;
        Ok(())
    }

    /// What a calendar takes is told by an attribute.
    fn attributes(&mut self, name: Name, start: &BytesStart<'_>) {
        if name != Name::Component || self.props.components.len() >= limits::VALUES {
            return;
        }
        let told = start
            .attributes()
            .flatten()
            .find(|attribute| attribute.key.into_inner() == "name" && attribute.value.len() < 64);
        if let Some(told) = told {
            self.props.components.push(told.value.to_ascii_uppercase());
        }
    }

    fn append(&mut self, text: &str) {
        let Some(name) = self.stack.last() else { return };
        let most = match name {
            Name::Card => limits::CARD + 1,
            Name::CalendarData => limits::FREE_BUSY,
            Name::Other => 0,
            _ => limits::TEXT,
        };
        if self.text.len() + text.len() <= most {
            self.text.push_str(text);
        } else {
            self.cut = true;
        }
    }

    fn close(&mut self) -> Result<(), SourceError> {
        let Some(name) = self.stack.pop() else { return Err(SourceError::Malformed) };
        let text = std::mem::take(&mut self.text);
        if self.cut {
            self.cut = false;
            // A card that is too large is a card that cannot be read.
            if name == Name::Card {
                self.props.card = Some(String::new());
            }
            return match name {
                Name::Card | Name::CalendarData | Name::Other | Name::Title => Ok(()),
                _ => Err(SourceError::Excess(Excess::Bytes)),
            };
        }
        match name {
            Name::Response => {
                // Of a request to others the parts are not wrapped in properties.
                if self.is_inside(Name::ScheduleResponse) {
                    self.response.props.take(std::mem::take(&mut self.props));
                }
                self.finish()?;
            }
            Name::RequestStatus if !text.trim_start().starts_with("2.") => {
                self.response.status = Some(403);
            }
            Name::Propstat if self.status.is_none_or(|status| (200..300).contains(&status)) => {
                self.response.props.take(std::mem::take(&mut self.props));
            }
            Name::Status if self.is_inside(Name::Propstat) => self.status = status(&text),
            Name::Status => self.response.status = status(&text),
            Name::Href => self.href(text.trim()),
            Name::SyncToken if !self.is_inside(Name::Propstat) => {
                self.whole.token = Some(text.trim().to_owned());
            }
            name => self.property(name, text),
        }
        Ok(())
    }

    fn is_inside(&self, name: Name) -> bool {
        self.stack.contains(&name)
    }

    /// A property, or a part of one.
    fn property(&mut self, name: Name, text: String) {
        let short = || text.trim().to_owned();
        match name {
            Name::SyncToken => self.props.token = short(),
            Name::Etag => self.props.etag = short(),
            Name::Ctag => self.props.ctag = short(),
            Name::Title => self.props.name = short(),
            Name::Card => self.props.card = Some(text),
            Name::Collection if self.is_inside(Name::ResourceType) => {
                self.props.is_collection = true;
            }
            Name::Book if self.is_inside(Name::ResourceType) => self.props.is_book = true,
            Name::Calendar if self.is_inside(Name::ResourceType) => self.props.is_calendar = true,
            Name::Transparent if self.is_inside(Name::Transparency) => {
                self.props.is_transparent = true;
            }
            Name::CalendarData => self.props.calendar = Some(text),
            Name::SyncCollection if self.is_inside(Name::Reports) => {
                self.props.reports_changes = true;
            }
            _ => {}
        }
    }

    fn href(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.stack.iter().rev().find(|name| **name != Name::Other) {
            Some(Name::Homes) if self.props.homes.len() < limits::BOOKS => {
                self.props.homes.push(text.to_owned());
            }
            Some(Name::Principal) => {
                self.props.principal.get_or_insert_with(|| text.to_owned());
            }
            Some(Name::CalendarHomes) if self.props.calendar_homes.len() < limits::VALUES => {
                self.props.calendar_homes.push(text.to_owned());
            }
            Some(Name::Addresses) if self.props.addresses.len() < limits::VALUES => {
                self.props.addresses.push(text.to_owned());
            }
            Some(Name::Outbox) => {
                self.props.outbox.get_or_insert_with(|| text.to_owned());
            }
            Some(Name::Response | Name::Recipient) => text.clone_into(&mut self.response.href),
            _ => {}
        }
    }

    fn finish(&mut self) -> Result<(), SourceError> {
        if self.whole.responses.len() > limits::RECORDS {
            return Err(SourceError::Excess(Excess::Records));
        }
        let response = std::mem::take(&mut self.response);
        if !response.href.is_empty() {
            self.whole.responses.push(response);
        }
        Ok(())
    }
}

/// `HTTP/1.1 404 Not Found`.
fn status(line: &str) -> Option<u16> {
    line.split_whitespace().nth(1)?.parse().ok()
}

/// UTF-8, or what a server means that sends Latin-1.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()),
    }
}

/// The five entities every document has, and characters by number.
fn resolve(reference: &BytesRef<'_>) -> Result<String, SourceError> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_| SourceError::Malformed)? {
        return Ok(character.to_string());
    }
    resolve_xml_entity(reference).map(str::to_owned).ok_or(SourceError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_count_only_where_their_status_is_good() {
        let text = br#"<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:card="urn:ietf:params:xml:ns:carddav"
            xmlns:cs="http://calendarserver.org/ns/"><d:response><d:href>/jan/book/</d:href><d:propstat><d:prop>
            <d:resourcetype><d:collection/><card:addressbook/></d:resourcetype><d:displayname>Caf&#233; &amp; meer</d:displayname>
            <cs:getctag>"7"</cs:getctag><d:supported-report-set><d:supported-report><d:report><d:sync-collection/></d:report>
            </d:supported-report></d:supported-report-set></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>
            <d:propstat><d:status>HTTP/1.1 404 Not Found</d:status><d:prop><d:sync-token>no</d:sync-token></d:prop>
            </d:propstat></d:response><d:response><d:href>/gone</d:href><d:status>HTTP/1.1 404 Gone</d:status></d:response>
            <d:sync-token>http://x/1</d:sync-token></d:multistatus>"#;
        let read = read(text).unwrap();
        let book = &read.responses[0];
        assert_eq!((book.href.as_str(), book.props.name.as_str()), ("/jan/book/", "Café & meer"));
        assert!(book.props.is_book && book.props.is_collection && book.props.reports_changes);
        assert_eq!((book.props.ctag.as_str(), book.props.token.as_str()), ("\"7\"", ""));
        assert_eq!(read.responses[1].status, Some(404));
        assert_eq!(read.token.as_deref(), Some("http://x/1"));
    }

    #[test]
    fn addresses_inside_properties_are_told_apart() {
        let text = br#"<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><response><href>/</href><propstat>
            <prop><current-user-principal><href>/p/jan/</href></current-user-principal>
            <C:addressbook-home-set><href>/a/</href><href>/b/</href></C:addressbook-home-set></prop></propstat></response></multistatus>"#;
        let read = read(text).unwrap();
        let first = &read.responses[0];
        assert_eq!(first.href, "/");
        assert_eq!(first.props.principal.as_deref(), Some("/p/jan/"));
        assert_eq!(first.props.homes, ["/a/", "/b/"]);
    }

    #[test]
    fn calendars_are_told_apart_and_so_is_where_they_are_asked_about() {
        let text = br#"<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response><href>/jan/</href><propstat>
            <prop><C:calendar-home-set><href>/jan/</href></C:calendar-home-set><C:schedule-outbox-URL><href>/jan/out/</href>
            </C:schedule-outbox-URL><C:calendar-user-address-set><href>mailto:jan@x.nl</href><href>/jan/</href>
            </C:calendar-user-address-set></prop></propstat></response><response><href>/jan/werk/</href><propstat><prop>
            <resourcetype><collection/><C:calendar/></resourcetype><C:supported-calendar-component-set><C:comp name="VEVENT"/>
            <C:comp name='vjournal'></C:comp></C:supported-calendar-component-set><C:schedule-calendar-transp><C:transparent/>
            </C:schedule-calendar-transp></prop></propstat></response></multistatus>"#;
        let read = read(text).unwrap();
        let [who, werk] = [0, 1].map(|at| read.responses[at].props.clone());
        assert_eq!((who.calendar_homes.len(), who.outbox.as_deref()), (1, Some("/jan/out/")));
        assert_eq!(who.addresses, ["mailto:jan@x.nl", "/jan/"]);
        assert!(werk.is_calendar && werk.is_transparent && !werk.is_book);
        assert_eq!(werk.components, ["VEVENT", "VJOURNAL"]);
    }

    #[test]
    fn an_answer_of_others_is_read_one_by_one() {
        let text = br#"<C:schedule-response xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
            <C:response><C:recipient><D:href>mailto:piet@x.nl</D:href></C:recipient><C:request-status>2.0;Success</C:request-status>
            <C:calendar-data>BEGIN:VCALENDAR</C:calendar-data></C:response>
            <C:response><C:recipient><D:href>mailto:k@x.nl</D:href></C:recipient><C:request-status>3.7;Invalid</C:request-status>
            </C:response></C:schedule-response>"#;
        let found = read_schedule(text).unwrap().responses;
        assert_eq!((found[0].href.as_str(), found[0].status), ("mailto:piet@x.nl", None));
        assert_eq!(found[0].props.calendar.as_deref(), Some("BEGIN:VCALENDAR"));
        assert_eq!((found[1].status, found[1].props.calendar.is_none()), (Some(403), true));
        assert_eq!(read(text), Err(SourceError::NotASource), "it is no list of a book");
    }

    #[test]
    fn other_documents_and_tricks_are_refused() {
        assert_eq!(read(b"<html><body>hello"), Err(SourceError::NotASource));
        assert_eq!(read(b""), Err(SourceError::Malformed));
        assert_eq!(read(b"<multistatus xmlns=\"DAV:\"><response>"), Err(SourceError::Malformed));
        let entity =
            b"<!DOCTYPE x [<!ENTITY a \"b\">]><multistatus xmlns=\"DAV:\">&a;</multistatus>";
        assert_eq!(read(entity), Err(SourceError::Malformed));
        let deep = format!("<multistatus xmlns=\"DAV:\">{}", "<a>".repeat(100));
        assert_eq!(read(deep.as_bytes()), Err(SourceError::Excess(Excess::Depth)));
        let long = format!(
            "<multistatus xmlns=\"DAV:\"><sync-token>{}</sync-token></multistatus>",
            "x".repeat(5_000)
        );
        assert_eq!(read(long.as_bytes()), Err(SourceError::Excess(Excess::Bytes)));
    }

    proptest::proptest! {
        #[test]
        fn any_document_is_survived(text in "(<multistatus xmlns=\"DAV:\">)?(<[a-z:]{1,9}( [a-z]=\"[a-z]\")?/?>|[a-z&;#0-9]{0,9}|</[a-z]{1,9}>){0,12}") {
            let _ = read(text.as_bytes());
        }
    }
}
