//! Classic Outlook on Windows by automation: the contacts of the person's folder and of the folders below it, and notes of calls in
//! his calendar. What is asked is in [`reading`] and [`writing`], which know nothing of Windows and are tested with an Outlook that
//! answers from a script; [`com`] puts it on COM.
//! The new Outlook has no such door; its contacts come from Microsoft 365.

#[cfg(windows)]
mod com;
#[cfg(any(windows, test))]
mod reading;
#[cfg(any(windows, test))]
mod writing;

use contacts::import::Contact;

use crate::source::{CallNote, Pending, Source};
use crate::{Known, Progress, SourceError, Synced, Tested};

/// What somebody's Outlook is asked for. There is nothing to fill in: it is the one of whoever is signed in to Windows.
#[derive(Debug, Clone, Default)]
pub struct OutlookSettings {}

/// An argument of a member.
#[cfg(any(windows, test))]
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Argument<'a> {
    Text(&'a str),
    Number(i32),
    /// A time, in days as automation counts them.
    Time(f64),
}

/// What a member gives.
#[cfg(any(windows, test))]
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told<O> {
    Nothing,
    Text(String),
    Number(i64),
    /// A time, in days as automation counts them.
    Time(f64),
    Object(O),
}

/// Objects whose members are asked for by name.
#[cfg(any(windows, test))]
pub(crate) trait Automation {
    /// An object.
    type Object;

    /// The program itself.
    fn application(&mut self) -> Result<Self::Object, SourceError>;

    /// What a member of an object gives.
    fn ask(
        &mut self,
        of: &Self::Object,
        member: &str,
        arguments: &[Argument<'_>],
    ) -> Result<Told<Self::Object>, SourceError>;

    /// Gives a member of an object another value.
    fn put(
        &mut self,
        of: &Self::Object,
        member: &str,
        value: Argument<'_>,
    ) -> Result<(), SourceError>;
}

/// The Outlook of this computer.
#[derive(Debug, Default)]
pub(crate) struct Outlook {}

impl Outlook {
    /// Works with it on a thread of its own: its objects belong to the thread that they came to, and it may take long.
    #[cfg(windows)]
    async fn with<T: Send + 'static>(
        work: impl FnOnce(&mut com::Com) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let joined = tokio::task::spawn_blocking(move || work(&mut com::Com::begin()?)).await;
        joined.unwrap_or(Err(SourceError::Broken))
    }
}

impl Source for Outlook {
    fn test(&self) -> Pending<'_, Tested> {
        #[cfg(windows)]
        return Box::pin(Outlook::with(|com| reading::test(com)));
        #[cfg(not(windows))]
        Box::pin(std::future::ready(Err(SourceError::NotASource)))
    }

    #[cfg_attr(not(windows), expect(unused_variables, reason = "there is no Outlook here"))]
    fn sync<'a>(
        &'a self,
        cursor: &'a str,
        known: &'a Known,
        tell: &'a (dyn Fn(Progress) + Send + Sync),
    ) -> Pending<'a, Synced> {
        #[cfg(windows)]
        return Box::pin(async move {
            let (known, first) = (known.clone(), cursor.is_empty());
            let synced =
                Outlook::with(move |com| reading::read(com, first, &known, &|_| {})).await?;
            tell(Progress { done: synced.put.len(), of: synced.put.len() });
            Ok(synced)
        });
        #[cfg(not(windows))]
        Box::pin(std::future::ready(Err(SourceError::NotASource)))
    }

    fn add<'a>(&'a self, _: &'a str, _: &'a Contact) -> Pending<'a, ()> {
        Box::pin(std::future::ready(Err(SourceError::ReadOnly)))
    }

    #[cfg_attr(not(windows), expect(unused_variables, reason = "there is no Outlook here"))]
    fn write_note<'a>(&'a self, note: &'a CallNote) -> Pending<'a, ()> {
        #[cfg(windows)]
        return Box::pin({
            let note = note.clone();
            Outlook::with(move |com| writing::write(com, &note))
        });
        #[cfg(not(windows))]
        Box::pin(std::future::ready(Err(SourceError::NotASource)))
    }
}
