//! Actions on the user's own data (reference, section 3.1).

use secrecy::{ExposeSecret, SecretString};

use super::{Actions, Built, done};
use crate::{
    Action, HttpRequest, Method, Path, Release,
    wire::{
        Assigned, FeatureCode, Profile, Registration, read_assigned, read_codes,
        read_registrations, read_token,
    },
    xml::Writer,
};

impl Actions {
    /// Which release the server is of.
    pub fn versions() -> Action<Option<Release>> {
        let request = HttpRequest::action(Method::Get, Path::new("versions"));
        Action::new(request, |reply| Ok(reply.document.as_ref().and_then(Release::read)))
    }

    /// Who the user is.
    ///
    /// # Errors
    /// As all of these: a value that cannot be put into a request, or [`crate::XsiError::NotInRelease`].
    pub fn profile(&self) -> Built<Profile> {
        let request = self.request(Method::Get, "profile")?;
        Ok(Action::new(request, |reply| Ok(Profile::read(reply.root()?)?)))
    }

    /// The codes that can be dialled.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn feature_codes(&self) -> Built<Vec<FeatureCode>> {
        let request = self.request(Method::Get, "profile/Fac")?;
        Ok(Action::new(request, |reply| Ok(read_codes(reply.root()?))))
    }

    /// The phones that are registered.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn registrations(&self) -> Built<Vec<Registration>> {
        let request = self.request(Method::Get, "profile/Registrations")?;
        Ok(Action::new(request, |reply| Ok(read_registrations(reply.root()?))))
    }

    /// The services that are assigned to the user.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn assigned_services(&self) -> Built<Vec<Assigned>> {
        let request = self.request(Method::Get, "services")?;
        Ok(Action::new(request, |reply| Ok(read_assigned(reply.root()?))))
    }

    /// A token that signs in for a minute instead of the password.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn login_token(&self) -> Built<SecretString> {
        let request = self.request(Method::Post, "profile/LoginToken")?;
        Ok(Action::new(request, |reply| Ok(read_token(reply.root()?)?)))
    }

    /// A token that fetches a device's configuration within a minute.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn device_token(&self, device: &str, level: &str) -> Built<SecretString> {
        let request = self.request(Method::Post, "profile/DeviceToken")?;
        let request = request.with("deviceName", device)?.with("deviceLevel", level)?;
        Ok(Action::new(request, |reply| Ok(read_token(reply.root()?)?)))
    }

    /// A new password for the portal and for these services. The request holds both passwords in clear: it
    /// is never logged.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn change_password(&self, old: &SecretString, new: &SecretString) -> Built<()> {
        let mut writer = Writer::new("Portal");
        writer.leaf("oldPassword", old.expose_secret()).leaf("newPassword", new.expose_secret());
        let mut request = self.request(Method::Put, "profile/Password/Portal")?;
        request.body = Some(writer.finish());
        Ok(done(request))
    }
}
