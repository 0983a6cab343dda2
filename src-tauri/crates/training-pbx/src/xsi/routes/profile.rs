//! `user/{id}/profile…`: details, feature access codes, registrations, devices, tokens, the password.

use std::net::SocketAddr;

use secrecy::ExposeSecret;

use super::Cx;
use crate::exchange::Exchange;
use crate::pbx::Profile;
use crate::registrar::Binding;
use crate::xsi::Xsi;
use crate::xsi::clock::java;
use crate::xsi::element::Element;
use crate::xsi::names::{COUNTRY, Names};
use crate::xsi::read::read;
use crate::xsi::web::{Answer, Outcome, Refusal};

/// The type of soft clients on a desktop.
const DEVICE_TYPE: &str = "Business Communicator - PC";
const DEVICE_LEVEL: &str = "Group";
/// Passwords are at least so long, and at most.
const PASSWORD: std::ops::RangeInclusive<usize> = 6..=60;

/// Feature access codes of this exchange: name and code.
const CODES: [(&str, &str); 12] = [
    ("Call Forwarding Always Activation", "*72"),
    ("Call Forwarding Always Deactivation", "*73"),
    ("Call Park", "*68"),
    ("Call Park Retrieve", "*88"),
    ("Call Retrieve", "*11"),
    ("Customer Originated Trace", "*57"),
    ("Direct Voice Mail Transfer", "*55"),
    ("Directed Call Pickup", "*97"),
    ("Do Not Disturb Activation", "*78"),
    ("Do Not Disturb Deactivation", "*79"),
    ("Push to Talk", "*50"),
    ("Voice Mail Retrieval", "*86"),
];

impl Xsi {
    pub(super) fn profile_request(
        &mut self,
        exchange: &Exchange,
        cx: &Cx<'_>,
        user: &str,
    ) -> Outcome {
        let words = cx.rest(3);
        match (cx.method(), words.as_slice()) {
            ("GET", []) => Ok(self.profile_document(user)),
            ("GET", ["fac"]) => Ok(codes()),
            ("GET", ["registrations"]) => Ok(self.registrations(cx, exchange, user)),
            ("GET", ["device"]) => Ok(self.devices(cx, user)),
            ("GET", ["device", port]) if self.profile == Profile::R2020 => {
                match *port == self.line_port(user).to_ascii_lowercase() {
                    true => Ok(Answer::local(self.device("AccessDevice", user))),
                    false => Err(Refusal::not_found("There is no such device")),
                }
            }
            ("PUT", ["device", port]) if self.profile == Profile::R2020 => {
                let body = read(&cx.request.body, "AccessDevice")?;
                body.in_order(&["allowTermination"])?;
                body.bool("allowTermination")?;
                match *port == self.line_port(user).to_ascii_lowercase() {
                    true => Ok(Answer::done()),
                    false => Err(Refusal::not_found("There is no such device")),
                }
            }
            ("POST", ["devicetoken"]) => {
                let name = cx.address.value("deviceName").unwrap_or_default();
                match name == device_name(user) {
                    true => Ok(self.token(cx, "DeviceToken")),
                    false => Err(Refusal::not_found("There is no such device")),
                }
            }
            ("POST", ["logintoken"]) => Ok(self.token(cx, "LoginToken").status(201)),
            ("PUT", ["password", "portal"]) => self.change_password(cx, user),
            ("GET", ["schedule", rest @ ..]) => super::schedules::schedules(exchange, rest),
            (_, [] | ["fac" | "registrations" | "device" | "logintoken" | "devicetoken"]) => {
                Err(Refusal::not_allowed())
            }
            _ => Err(Refusal::not_found("There is no such resource")),
        }
    }

    fn profile_document(&self, user: &str) -> Answer {
        let uri = |rest: &str| {
            let id = self.names.user_id(user);
            format!("/v2.0/user/{id}/profile/{rest}")
        };
        let document = Element::new("Profile")
            .with(self.details("details", user, None))
            .with(self.additional(user))
            .field("fac", uri("Fac"))
            .field("registrations", uri("Registrations"))
            .field("scheduleList", uri("Schedule"))
            .field("portalPasswordChange", uri("Password/Portal"))
            .field("countryCode", COUNTRY)
            .field("nationalPrefix", "0")
            .field("timeZone", "Europe/Amsterdam");
        let mut answer = Answer::local(document);
        answer.always_instance = true;
        answer
    }

    /// A person as the profile and the directories show him; `additional` for the latter.
    pub(super) fn details(
        &self,
        name: &'static str,
        user: &str,
        additional: Option<Element>,
    ) -> Element {
        let person = self.names.person(user);
        let full = person.map(|person| person.name).unwrap_or_default();
        let (first, last) = Names::first_and_last(&full);
        let mut details = Element::new(name)
            .field("userId", self.names.user_id(user))
            .field("firstName", first)
            .field("lastName", last)
            .field("groupId", self.names.group());
        if name == "details" {
            let provider = Element::leaf("serviceProvider", self.names.enterprise());
            details = details.with(provider.attribute("isEnterprise", "true"));
        }
        details.field("extension", user).all(additional)
    }

    /// What a person has besides.
    pub(super) fn additional(&self, user: &str) -> Element {
        let person = self.names.person(user);
        Element::new("additionalDetails")
            .maybe("department", person.map(|person| person.department))
            .field("impId", self.names.user_id(user))
    }

    fn registrations(&self, cx: &Cx<'_>, exchange: &Exchange, user: &str) -> Answer {
        let port = self.line_port(user);
        let one = |binding: &Binding| {
            let public: SocketAddr = binding.source.remote;
            let expires = self.clock.ms(binding.expires_at.max(cx.now));
            Element::new("registration")
                .field("endpointType", "Primary")
                .field("uri", &binding.contact)
                .field("expiration", java(expires))
                .field("linePort", &port)
                .field("publicIP", public.ip())
                .field("publicPort", public.port())
                .maybe("privateIP", binding.contact.host())
                .maybe("privatePort", binding.contact.port())
                .maybe("userAgent", binding.user_agent.as_deref())
        };
        let all = exchange.bindings(user).iter().map(one);
        Answer::local(Element::new("Registrations").all(all))
    }

    fn line_port(&self, user: &str) -> String {
        self.names.user_id(user)
    }

    fn devices(&self, cx: &Cx<'_>, user: &str) -> Answer {
        let other_type = cx.address.value("deviceType").is_some_and(|kind| kind != DEVICE_TYPE);
        // A soft client has no hardware address.
        let by_address = cx.address.value("macAddress").is_some();
        let own = (!other_type && !by_address && self.names.company.account(user).is_some())
            .then(|| self.device("accessDevice", user));
        Answer::local(Element::new("AccessDevices").all(own))
    }

    fn device(&self, name: &'static str, user: &str) -> Element {
        let host = self.hosts.first().cloned().unwrap_or_default();
        let credentials = self.files.credentials(user).map(|(name, password)| {
            Element::new("deviceUserNamePassword")
                .field("userName", name)
                .field("password", password.expose_secret())
        });
        Element::new(name)
            .field("deviceName", device_name(user))
            .field("deviceLevel", DEVICE_LEVEL)
            .field("deviceType", DEVICE_TYPE)
            .field("deviceLinePort", self.line_port(user))
            .field("deviceTypeUrl", format!("{host}/dms/bc/pc/"))
            .all(credentials)
            .field("endpointType", "Primary")
    }

    fn token(&mut self, cx: &Cx<'_>, root: &'static str) -> Answer {
        let token = self.doors.token(cx.now, &cx.user);
        Answer::local(Element::new(root).field("token", token))
    }

    fn change_password(&mut self, cx: &Cx<'_>, user: &str) -> Outcome {
        let body = read(&cx.request.body, "Portal")?;
        body.in_order(&["oldPassword", "newPassword"])?;
        let (old, new) = (body.value("oldPassword"), body.value("newPassword"));
        let (Some(old), Some(new)) = (old, new) else {
            return Err(Refusal::bad("oldPassword and newPassword are needed"));
        };
        if !PASSWORD.contains(&new.chars().count()) || new == old {
            return Err(Refusal::bad("The new password breaks the password rules"));
        }
        match self.doors.change(user, old, new) {
            true => Ok(Answer::done()),
            false => Err(Refusal::forbidden("The old password is wrong")),
        }
    }
}

fn device_name(user: &str) -> String {
    format!("pc-{user}")
}

fn codes() -> Answer {
    let one = |(name, code): &(&str, &str)| {
        Element::new("featureAccessCode").field("codeName", name).field("code", code)
    };
    Answer::local(Element::new("FAC").all(CODES.iter().map(one)))
}
