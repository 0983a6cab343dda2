//! Actions on the user's phones (reference, sections 3.1 and 6).

use super::{Actions, Built};
use crate::{
    Action, HttpRequest, Method, XsiError,
    wire::{AccessDevice, read_devices},
    xml::Writer,
};

impl Actions {
    /// The phones that the exchange knows, with the credentials that the operator lets out.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn devices(&self, kind: Option<&str>, only_soft: bool) -> Built<Vec<AccessDevice>> {
        let mut request = self.request(Method::Get, "profile/Device")?;
        if let Some(kind) = kind {
            request = request.with("deviceType", kind)?;
        }
        if only_soft {
            request = request.with("onlySoftClient", "true")?;
        }
        Ok(Action::new(request, |reply| Ok(read_devices(reply.root()?))))
    }

    /// Whether a phone may be called.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn allow_termination(&self, line_port: &str, allow: bool) -> Built<()> {
        if !self.release().has_single_device() {
            return Err(XsiError::NotInRelease);
        }
        let path = self.path("profile/Device")?.part(line_port)?;
        let mut writer = Writer::new("AccessDevice");
        writer.leaf("allowTermination", allow);
        let mut request = HttpRequest::action(Method::Put, path);
        request.body = Some(writer.finish());
        Ok(super::done(request))
    }
}
