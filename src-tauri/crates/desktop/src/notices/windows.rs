//! Toasts of Windows (`Windows.UI.Notifications`). They need the program's identifier on a shortcut in the start menu, which
//! the installer makes; without it Windows shows nothing.

use std::collections::HashMap;

use tokio::sync::mpsc::{self, UnboundedSender};
use windows::Data::Xml::Dom::{IXmlNode, XmlDocument, XmlElement};
use windows::Foundation::TypedEventHandler;
use windows::UI::Notifications::{
    ToastActivatedEventArgs, ToastDismissedEventArgs, ToastNotification, ToastNotificationManager,
};
use windows::core::{HSTRING, IInspectable, Interface as _, Ref, Result};

use super::{DEFAULT, Notice, Order};

/// What a toast tells, by the key and the turn of its notice.
enum Told {
    Pressed(u64, String),
    Gone(u64, u64),
}

/// The toasts that are shown, each with the turn in which it was.
struct Toasts {
    program: HSTRING,
    tell: UnboundedSender<Told>,
    shown: HashMap<u64, (u64, ToastNotification)>,
    turn: u64,
}

pub(super) async fn run(
    program: String,
    mut orders: mpsc::Receiver<Order>,
    pressed: impl Fn(u64, String) + Send + Sync + 'static,
) {
    let (tell, mut told) = mpsc::unbounded_channel();
    let program = HSTRING::from(program);
    let mut toasts = Toasts { program, tell, shown: HashMap::new(), turn: 0 };
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some(order) = order else { return };
                if let Err(error) = toasts.carry_out(&order) {
                    tracing::debug!(%error, "a notification is not shown");
                }
            }
            Some(what) = told.recv() => match what {
                Told::Pressed(key, action) => pressed(key, action),
                // One that was replaced meanwhile stays.
                Told::Gone(key, turn) => toasts.shown.retain(|of, (in_turn, _)| (*of, *in_turn) != (key, turn)),
            },
        }
    }
}

impl Toasts {
    fn carry_out(&mut self, order: &Order) -> Result<()> {
        let notifier = ToastNotificationManager::CreateToastNotifierWithId(&self.program)?;
        let key = match order {
            Order::Show(notice) => notice.key,
            Order::Close(key) => *key,
        };
        if let Some((_, before)) = self.shown.remove(&key)
            && let Err(error) = notifier.Hide(&before)
        {
            // The user was faster.
            tracing::debug!(%error, "the notification was gone");
        }
        if let Order::Show(notice) = order {
            let toast = ToastNotification::CreateToastNotification(&described(notice)?)?;
            self.listen(&toast, key)?;
            notifier.Show(&toast)?;
            self.shown.insert(key, (self.turn, toast));
        }
        Ok(())
    }

    fn listen(&mut self, toast: &ToastNotification, key: u64) -> Result<()> {
        self.turn += 1;
        let (turn, tell) = (self.turn, self.tell.clone());
        toast.Activated(&TypedEventHandler::new(
            move |_: Ref<'_, ToastNotification>, how: Ref<'_, IInspectable>| {
                let how: ToastActivatedEventArgs = how.ok()?.cast()?;
                // Nobody listens only once the program ends.
                let _ = tell.send(Told::Pressed(key, how.Arguments()?.to_string()));
                Ok(())
            },
        ))?;
        let tell = self.tell.clone();
        toast.Dismissed(&TypedEventHandler::new(
            move |_: Ref<'_, ToastNotification>, _: Ref<'_, ToastDismissedEventArgs>| {
                let _ = tell.send(Told::Gone(key, turn));
                Ok(())
            },
        ))?;
        Ok(())
    }
}

/// The toast as Windows wants it described. Texts go in as nodes and attributes, so that nothing in them is markup.
fn described(notice: &Notice) -> Result<XmlDocument> {
    let document = XmlDocument::new()?;
    let toast = inside(&document, &document.cast()?, "toast", &[("launch", DEFAULT)])?;
    if notice.urgent {
        // Stays open until something is done with it.
        toast.SetAttribute(&HSTRING::from("scenario"), &HSTRING::from("incomingCall"))?;
    }
    let visual = inside(&document, &toast.cast()?, "visual", &[])?;
    let template = [("template", "ToastGeneric")];
    let binding: IXmlNode = inside(&document, &visual.cast()?, "binding", &template)?.cast()?;
    for text in [&notice.summary, &notice.body] {
        let line = inside(&document, &binding, "text", &[])?;
        line.AppendChild(&document.CreateTextNode(&HSTRING::from(text))?)?;
    }
    let actions: IXmlNode = inside(&document, &toast.cast()?, "actions", &[])?.cast()?;
    for (name, words) in notice.buttons() {
        inside(&document, &actions, "action", &[("content", words), ("arguments", name)])?;
    }
    // The program rings itself.
    inside(&document, &toast.cast()?, "audio", &[("silent", "true")])?;
    Ok(document)
}

/// Appends an element to a node.
fn inside(
    document: &XmlDocument,
    node: &IXmlNode,
    name: &str,
    attributes: &[(&str, &str)],
) -> Result<XmlElement> {
    let element = document.CreateElement(&HSTRING::from(name))?;
    for (name, value) in attributes {
        element.SetAttribute(&HSTRING::from(*name), &HSTRING::from(*value))?;
    }
    node.AppendChild(&element)?;
    Ok(element)
}
