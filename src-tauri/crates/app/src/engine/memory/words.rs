//! What is kept, in the words of the view models and back.

use contacts::import::{Encoding, Field, Imported, Label, Why};
use contacts::{NumberClass, NumberKey};
use store::{CallBack, NewCall, Note, PastCall, Person, Source};

use super::{DIRECTIONS, EARLIER, OUTCOMES};
use crate::code::Code;
use crate::view::people::{
    CallBackView, ContactNumberView, ContactSourceView, ContactView, ImportEncoding, ImportField,
    ImportProblem, ImportProblemKind, ImportReport, NoteView, NumberKind,
};
use crate::view::{CallDirection, CallOutcome, CalledBack, HistoryEntry, PeerView};

/// What the other side is matched by; none: it withheld its number.
pub(super) fn key_of(peer: &PeerView) -> Option<NumberKey> {
    NumberKey::of(&peer.uri).or_else(|| NumberKey::of(&peer.number))
}

pub(super) fn new_call(entry: &HistoryEntry, by: String) -> NewCall {
    let direction = DIRECTIONS.iter().find(|(ours, _)| *ours == entry.direction);
    let outcome = OUTCOMES.iter().find(|(ours, _)| *ours == entry.outcome);
    NewCall {
        account: entry.account.clone(),
        direction: direction.map_or(store::Direction::In, |(_, kept)| *kept),
        uri: entry.peer.uri.clone(),
        name: entry.peer.name.clone(),
        number: entry.peer.number.clone(),
        started_ms: entry.started_ms,
        seconds: entry.seconds,
        outcome: outcome.map_or(store::Outcome::Failed, |(_, kept)| *kept),
        reason: entry.reason.and_then(word),
        by,
    }
}

pub(super) fn entry(past: PastCall) -> HistoryEntry {
    let PastCall { id, call, called_back_ms, called_back_by, elsewhere, .. } = past;
    let direction = DIRECTIONS.iter().find(|(_, kept)| *kept == call.direction);
    let outcome = OUTCOMES.iter().find(|(_, kept)| *kept == call.outcome);
    HistoryEntry {
        id: EARLIER + id,
        account: call.account,
        direction: direction.map_or(CallDirection::In, |(ours, _)| *ours),
        peer: PeerView {
            uri: call.uri,
            name: call.name,
            number: call.number,
            ..PeerView::default()
        },
        started_ms: call.started_ms,
        seconds: call.seconds,
        outcome: outcome.map_or(CallOutcome::Failed, |(ours, _)| *ours),
        reason: call.reason.and_then(code),
        called_back: called_back_ms.map(|at_ms| CalledBack { at_ms, by: called_back_by }),
        elsewhere,
    }
}

/// A code as the word that front ends know.
fn word(code: Code) -> Option<String> {
    serde_json::to_value(code).ok()?.as_str().map(str::to_owned)
}

/// And back; none for a word of another version.
fn code(word: String) -> Option<Code> {
    serde_json::from_value(serde_json::Value::String(word)).ok()
}

pub(super) fn contact(person: &Person) -> ContactView {
    let number = |number: &store::PersonNumber| ContactNumberView {
        label: number.label.clone(),
        number: number.number.clone(),
        shown: contacts::show(&number.number),
    };
    ContactView {
        id: person.id,
        source: person.source,
        name: person.name.clone(),
        company: person.company.clone(),
        department: person.department.clone(),
        job_title: person.job_title.clone(),
        email: person.email.clone(),
        remark: person.remark.clone(),
        favourite: person.favourite,
        numbers: person.numbers.iter().map(number).collect(),
        parts: Vec::new(),
    }
}

/// Somebody of a file, ready to be kept. What the file does not name is named by its place in it.
pub(super) fn person(place: usize, contact: contacts::import::Contact) -> Person {
    let number = |numbered: contacts::import::Numbered| store::PersonNumber {
        label: numbered.label.as_str().to_owned(),
        number: numbered.number,
    };
    Person {
        id: 0,
        source: 0,
        uid: if contact.uid.is_empty() { format!("row-{place}") } else { contact.uid },
        name: contact.name,
        company: contact.company,
        department: contact.department,
        job_title: contact.job_title,
        email: contact.email,
        remark: contact.remark,
        favourite: false,
        numbers: contact.numbers.into_iter().map(number).collect(),
    }
}

pub(super) fn source(source: Source) -> ContactSourceView {
    ContactSourceView {
        id: source.id,
        kind: source.source.kind,
        name: source.source.name,
        synced_ms: source.source.synced_ms,
        contacts: source.people,
    }
}

pub(super) fn note(note: Note) -> NoteView {
    NoteView { id: note.id, text: note.text, at_ms: note.at_ms, until_ms: note.until_ms }
}

pub(super) fn call_back(one: CallBack) -> CallBackView {
    CallBackView {
        id: one.id,
        account: one.who.account,
        name: one.who.name,
        number: one.who.number,
        since_ms: one.who.since_ms,
        done_ms: one.done_ms,
        done_by: one.done_by.filter(|by| !by.is_empty()),
    }
}

/// What a file gave; under which id it is kept is not known yet.
pub(super) fn report(imported: &Imported) -> ImportReport {
    let kind = |why| match why {
        Why::TooManyValues => ImportProblemKind::TooManyValues,
        Why::NoName => ImportProblemKind::NoName,
        Why::NoNumber => ImportProblemKind::NoNumber,
        Why::BrokenCard => ImportProblemKind::BrokenCard,
        Why::TooMany => ImportProblemKind::TooMany,
    };
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let problems = imported.problems.iter();
    ImportReport {
        source: 0,
        added: count(imported.contacts.len()),
        left_out: count(imported.left_out),
        problems: problems.map(|p| ImportProblem { line: p.line, kind: kind(p.why) }).collect(),
    }
}

pub(super) fn encoding(encoding: Encoding) -> ImportEncoding {
    match encoding {
        Encoding::Utf8 => ImportEncoding::Utf8,
        Encoding::Utf16 => ImportEncoding::Utf16,
        Encoding::Windows1252 => ImportEncoding::Windows1252,
    }
}

const FIELDS: [(ImportField, Field); 20] = [
    (ImportField::Ignore, Field::Ignore),
    (ImportField::Name, Field::Name),
    (ImportField::GivenName, Field::GivenName),
    (ImportField::MiddleName, Field::MiddleName),
    (ImportField::FamilyName, Field::FamilyName),
    (ImportField::Suffix, Field::Suffix),
    (ImportField::Company, Field::Company),
    (ImportField::Department, Field::Department),
    (ImportField::JobTitle, Field::JobTitle),
    (ImportField::Email, Field::Email),
    (ImportField::Remark, Field::Remark),
    (ImportField::Uid, Field::Uid),
    (ImportField::Work, Field::Number(Label::Work)),
    (ImportField::Mobile, Field::Number(Label::Mobile)),
    (ImportField::Home, Field::Number(Label::Home)),
    (ImportField::Main, Field::Number(Label::Main)),
    (ImportField::Assistant, Field::Number(Label::Assistant)),
    (ImportField::Fax, Field::Number(Label::Fax)),
    (ImportField::Pager, Field::Number(Label::Pager)),
    (ImportField::Other, Field::Number(Label::Other)),
];

pub(super) fn field(field: ImportField) -> Field {
    FIELDS.iter().find(|(ours, _)| *ours == field).map_or(Field::Ignore, |(_, theirs)| *theirs)
}

pub(super) fn field_view(field: Field) -> ImportField {
    FIELDS
        .iter()
        .find(|(_, theirs)| *theirs == field)
        .map_or(ImportField::Ignore, |(ours, _)| *ours)
}

pub(super) fn number_kind(class: NumberClass) -> NumberKind {
    match class {
        NumberClass::Emergency => NumberKind::Emergency,
        NumberClass::PublicService => NumberKind::PublicService,
        NumberClass::Information => NumberKind::Information,
        NumberClass::Municipality => NumberKind::Municipality,
        NumberClass::Extension => NumberKind::Extension,
        NumberClass::FeatureCode => NumberKind::FeatureCode,
        NumberClass::Geographic => NumberKind::Geographic,
        NumberClass::Mobile => NumberKind::Mobile,
        NumberClass::Pager => NumberKind::Pager,
        NumberClass::Data => NumberKind::Data,
        NumberClass::PrivateNetwork => NumberKind::PrivateNetwork,
        NumberClass::PersonalAssistant => NumberKind::PersonalAssistant,
        NumberClass::LocationIndependent => NumberKind::LocationIndependent,
        NumberClass::Company => NumberKind::Company,
        NumberClass::MachineToMachine => NumberKind::MachineToMachine,
        NumberClass::Free => NumberKind::Free,
        NumberClass::Premium => NumberKind::Premium,
        NumberClass::Adult => NumberKind::Adult,
        NumberClass::Amusement => NumberKind::Amusement,
        NumberClass::Satellite => NumberKind::Satellite,
        NumberClass::InternationalFree => NumberKind::InternationalFree,
        NumberClass::InternationalPremium => NumberKind::InternationalPremium,
        NumberClass::International => NumberKind::International,
        NumberClass::Unknown => NumberKind::Unknown,
    }
}
