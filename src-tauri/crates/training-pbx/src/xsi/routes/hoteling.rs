//! Hoteling: a guest takes a host's telephones for a while, and those that can be had.

use std::time::Duration;

use super::Cx;
use crate::exchange::Exchange;
use crate::pbx::Profile;
use crate::xsi::Xsi;
use crate::xsi::element::Element;
use crate::xsi::read::read;
use crate::xsi::settings;
use crate::xsi::web::{Answer, Outcome, Refusal};

const GUEST: &str = "HotelingGuest";
const HOST: &str = "HotelingHost";

impl Xsi {
    /// `services/HotelingGuest` is changed: where the guest is follows from it.
    pub(super) fn be_guest(&mut self, exchange: &mut Exchange, cx: &Cx<'_>, user: &str) -> Outcome {
        let body = read(&cx.request.body, GUEST)?;
        let stored = |name: &str| self.setting(exchange, user, (GUEST, name));
        let active = body.bool("active")?.unwrap_or(stored("active").as_deref() == Some("true"));
        let host = body.clearable("hostUserId").unwrap_or_else(|| stored("hostUserId"));
        let host = host.filter(|_| active);
        let host = host.map(|id| self.free_host(exchange, user, &id)).transpose()?;
        let service = settings::find(GUEST, Profile::R2020);
        let service = service.ok_or_else(|| Refusal::not_found("There is no such service"))?;
        let settings = &mut self.settings;
        let mut outcome = Ok(());
        exchange.change_desk(cx.now, |desk| {
            outcome = settings.change(desk, user, service, &body);
        });
        outcome?;
        let at = host.map(|host| {
            let limits = [self.limit(exchange, user, GUEST), self.limit(exchange, &host, HOST)];
            let limit = limits.into_iter().flatten().min();
            (host, limit)
        });
        let now = exchange.desk().rules(user).guest.as_ref().map(|guest| guest.host.as_str());
        // Who says once more where he is begins a new term there.
        if at.is_some() || now.is_some() {
            exchange.be_guest(cx.now, user, at);
        }
        Ok(Answer::done())
    }

    fn setting(&self, exchange: &Exchange, user: &str, (of, name): (&str, &str)) -> Option<String> {
        let service = settings::find(of, Profile::R2020)?;
        let field = service.fields.iter().find(|field| field.name == name)?;
        self.settings.value(exchange.desk(), user, service, field)
    }

    /// How long an association may last by one side's settings.
    fn limit(&self, exchange: &Exchange, user: &str, of: &str) -> Option<Duration> {
        let limited = self.setting(exchange, user, (of, "enableAssociationLimit"));
        let hours = self.setting(exchange, user, (of, "associationLimitHours"))?;
        let hours = hours.parse().ok().filter(|_| limited.as_deref() == Some("true"))?;
        Some(Duration::from_secs(3_600).saturating_mul(hours))
    }

    /// The host of this id, if a guest may have his telephones.
    fn free_host(&self, exchange: &Exchange, user: &str, id: &str) -> Result<String, Refusal> {
        let host = self.names.user(id);
        let host = host.filter(|host| self.names.company.account(host).is_some());
        let host = host.ok_or_else(|| Refusal::bad(format!("Invalid hostUserId {id}")))?;
        let taken = exchange.guest_of(&host).is_some_and(|guest| guest != user);
        if host == user || taken || !self.is_host(exchange, &host) {
            return Err(Refusal::conflict(format!("{id} is not available for hoteling")));
        }
        Ok(host)
    }

    fn is_host(&self, exchange: &Exchange, user: &str) -> bool {
        self.setting(exchange, user, (HOST, "active")).as_deref() == Some("true")
    }

    /// `directories/HotelingHosts`: whose telephones a guest can have now.
    pub(super) fn hoteling_hosts(&self, exchange: &Exchange, user: &str) -> Answer {
        let accounts = self.names.company.accounts.iter().map(|account| &account.extension);
        let free = accounts.filter(|host| {
            host.as_str() != user
                && self.is_host(exchange, host)
                && exchange.guest_of(host).is_none_or(|guest| guest == user)
        });
        let ids = free.map(|host| Element::leaf("userId", self.names.user_id(host)));
        Answer::local(Element::new("HotelingHosts").all(ids))
    }
}
