//! Actions on services and the mailbox (reference, section 3.4).

use super::{Actions, Built, done};
use crate::{
    Action, HttpRequest, Method, XsiError,
    wire::{
        BusyLampField, Greetings, MediaFile, Monitoring, PersonEntry, ServiceState, VoiceMessage,
        read_message_sound, read_messages,
    },
};

impl Actions {
    /// A service as it is, by its path out of [`ServiceState::paths`].
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn service(&self, path: &'static str) -> Built<ServiceState> {
        let words = self.path("services")?.word(path);
        let request = HttpRequest::action(Method::Get, words);
        Ok(Action::new(request, move |reply| {
            ServiceState::read(path, reply.root()?).ok_or(XsiError::BadValue("this service"))
        }))
    }

    /// Sets a service. What is `None` in it stays as it is.
    ///
    /// # Errors
    /// See [`Self::profile`]; some services can only be read.
    pub fn set_service(&self, service: &ServiceState) -> Built<()> {
        if !service.is_in(self.release()) {
            return Err(XsiError::NotInRelease);
        }
        let body = service.write().ok_or(XsiError::BadValue("a service that can only be read"))?;
        let mut request =
            HttpRequest::action(Method::Put, self.path("services")?.word(service.path()));
        request.body = Some(body);
        Ok(done(request))
    }

    /// Whose lamps the user watches, and the SIP address to subscribe to.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn busy_lamps(&self) -> Built<BusyLampField> {
        let request = self.request(Method::Get, "services/BusyLampField")?;
        Ok(Action::new(request, |reply| Ok(BusyLampField::read(reply.root()?))))
    }

    /// Replaces the list of users whose lamps are watched.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn set_busy_lamps(&self, users: &[String]) -> Built<()> {
        let mut request = self.request(Method::Put, "services/BusyLampField")?;
        request.body = Some(BusyLampField::write_users(users));
        Ok(done(request))
    }

    /// The users that a receptionist's console shows.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn receptionist_contacts(&self, kind: &str) -> Built<Vec<String>> {
        let request = self.request(Method::Get, "services/BwReceptionist")?;
        let request = request.with("receptionistType", kind)?;
        Ok(Action::new(request, |reply| {
            let users = reply.root()?.listed("monitoredUsers", "userDetails");
            Ok(users.filter_map(|one| one.text_of("userId")).collect())
        }))
    }

    /// What callers of the voicemail hear.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn greetings(&self) -> Built<Greetings> {
        let request = self.request(Method::Get, "services/VoiceMessaging/Greetings")?;
        Ok(Action::new(request, |reply| Ok(Greetings::read(reply.root()?))))
    }

    /// Sets greetings. What is `None` in them stays as it is.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn set_greetings(&self, greetings: &Greetings) -> Built<()> {
        let mut request = self.request(Method::Put, "services/VoiceMessaging/Greetings")?;
        request.body = Some(greetings.write());
        Ok(done(request))
    }

    /// Those at whose lines the user's group parks calls.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn park_group(&self) -> Built<Vec<PersonEntry>> {
        let request = self.request(Method::Get, "services/CallPark")?;
        Ok(Action::new(request, |reply| {
            let users = reply.root()?.listed("userDetailsList", "userDetails");
            Ok(users.map(PersonEntry::read).collect())
        }))
    }

    /// Whether agents hear that somebody listens.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn monitoring(&self) -> Built<Monitoring> {
        let request = self.request(Method::Get, "services/CallCenterMonitoring")?;
        Ok(Action::new(request, |reply| Ok(Monitoring::read(reply.root()?))))
    }

    /// The messages in the mailbox.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn messages(&self) -> Built<Vec<VoiceMessage>> {
        let request = self.request(Method::Get, "VoiceMessagingMessages")?;
        Ok(Action::new(request, |reply| Ok(read_messages(reply.root()?))))
    }

    /// What was said in a message.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn message_sound(&self, id: &str) -> Built<Option<MediaFile>> {
        let path = self.path("VoiceMessagingMessages")?.part(id)?;
        let request = HttpRequest::action(Method::Get, path);
        Ok(Action::new(request, |reply| Ok(read_message_sound(reply.root()?))))
    }

    /// Marks a message as heard or not.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn mark_message(&self, id: &str, read: bool) -> Built<()> {
        let verb = if read { "MarkAsRead" } else { "MarkAsUnread" };
        let path = self.path("VoiceMessagingMessages")?.part(id)?.word(verb);
        Ok(done(HttpRequest::action(Method::Put, path)))
    }

    /// Removes a message.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn delete_message(&self, id: &str) -> Built<()> {
        let path = self.path("VoiceMessagingMessages")?.part(id)?;
        Ok(done(HttpRequest::action(Method::Delete, path)))
    }

    /// Users that can be chosen for the lamps.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn available_lamps(&self) -> Built<Vec<PersonEntry>> {
        let request = self.request(Method::Get, "services/BusyLampField/AvailableUsers")?;
        Ok(Action::new(request, |reply| {
            let root = reply.root()?;
            let inside = root.children.iter().flat_map(|list| list.all("userDetails"));
            Ok(root.all("userDetails").chain(inside).map(PersonEntry::read).collect())
        }))
    }
}
