//! The client side: remembers each realm's nonce and counts its uses.

use secrecy::ExposeSecret;
use sip_types::{AuthParams, Authorization, Challenge, HeaderName, Method, Request, Response};

use super::hash::{Inputs, Protection};
use super::{Algorithm, AuthError, Credentials, Role};
use crate::Random;

/// More realms than any path through proxies has; the one learned first gives way.
const MAX_SPACES: usize = 8;

/// The most realms whose best algorithm is remembered; the one learned first gives way.
const MAX_FLOORS: usize = 64;

/// How often in a row a server may call an unused nonce stale.
const MAX_STALE_ROUNDS: u32 = 2;

/// Answers challenges with one set of credentials, and signs later requests in advance with the
/// nonces it has learned.
#[derive(Debug)]
pub struct DigestClient {
    credentials: Credentials,
    spaces: Vec<Space>,
    /// The strongest algorithm each realm has offered. A weaker one alone is an attack, or a server
    /// that was set back, which a person must know of.
    floors: Vec<(Role, String, Algorithm)>,
    /// Realms that are signed for; empty: those that have accepted us.
    realms: Vec<String>,
    /// Realms that have accepted these credentials. Once there is one, others of the same kind must
    /// be asked for by the registrar itself.
    bound: Vec<(Role, String)>,
}

/// What is known about one realm, as server or as proxy.
#[derive(Debug)]
pub(super) struct Space {
    role: Role,
    pub(super) realm: String,
    algorithm: Algorithm,
    /// Whether the challenge named the algorithm; old servers dislike hearing it otherwise.
    algorithm_named: bool,
    pub(super) nonce: String,
    opaque: Option<String>,
    qop: Option<&'static str>,
    userhash: bool,
    cnonce: String,
    uses: u32,
    stale_rounds: u32,
}

/// A challenge we can answer.
pub(super) struct Offer {
    role: Role,
    realm: String,
    pub(super) algorithm: Algorithm,
    qop: Option<&'static str>,
    pub(super) params: AuthParams,
}

/// The credentials a refused request carried for a realm.
struct Refused {
    nonce: String,
    nc: Option<u32>,
}

impl DigestClient {
    /// A client that has seen no challenge yet.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            spaces: Vec::new(),
            floors: Vec::new(),
            realms: Vec::new(),
            bound: Vec::new(),
        }
    }

    /// The same, signing for these realms only. With an empty list, for the first that accepts the
    /// credentials as server and as proxy each, and for those that challenge a REGISTER.
    #[must_use]
    pub fn for_realms(mut self, realms: Vec<String>) -> Self {
        self.realms = realms;
        self
    }

    /// Signs a request with every nonce learned so far, replacing what it carries. Without any
    /// nonce the request stays as it is.
    pub fn authorize(&mut self, request: &mut Request, _random: &mut Random) {
        if self.spaces.is_empty() {
            return;
        }
        request.headers.remove(&Role::Server.credentials_header());
        request.headers.remove(&Role::Proxy.credentials_header());
        for space in &mut self.spaces {
            let (method, uri) = (request.method.to_string(), request.uri.as_str());
            let value = space.sign(&self.credentials, &method, uri, &request.body);
            request.headers.push(space.role.credentials_header(), value.to_string());
        }
    }

    /// Learns the challenges of a 401 or 407 and signs the request to be sent again. `request` is
    /// the refused one (its old Authorization headers tell what was refused) with a new CSeq.
    ///
    /// Of several challenges for one realm the strongest algorithm is taken, and none weaker from
    /// then on. A nonce declared stale is replaced without further ado; so is one that was used
    /// before, since not every server says so. A fresh one that is refused means wrong credentials,
    /// unless the server calls it stale, which says that the credentials are right.
    ///
    /// # Errors
    /// When sending it again would be pointless: the user must be asked or told.
    pub fn answer(
        &mut self,
        request: &mut Request,
        refusal: &Response,
        random: &mut Random,
    ) -> Result<(), AuthError> {
        for offer in self.acceptable(offers(refusal)?, request)? {
            self.raise_floor(&offer);
            let stale_rounds = self.judge(&offer, request)?;
            let at = self.spaces.iter().position(|space| space.is_for(offer.role, &offer.realm));
            let mut uses = 0;
            if let Some(at) = at {
                let old = self.spaces.remove(at);
                if offer.params.get("nonce") == Some(old.nonce.as_str()) {
                    uses = old.uses;
                }
            } else if self.spaces.len() >= MAX_SPACES {
                self.spaces.remove(0);
            }
            self.spaces.push(Space { uses, ..Space::new(offer, stale_rounds, random) });
        }
        self.authorize(request, random);
        Ok(())
    }

    /// Learns from the final answer that accepts a signed request: which realms the credentials are
    /// for, and the `nextnonce` of an Authentication-Info header (RFC 7616 section 3.5).
    pub fn accepted(&mut self, request: &Request, response: &Response) {
        let signed = signed_realms(request);
        if signed.is_empty() {
            return;
        }
        for realm in signed {
            if !self.bound.contains(&realm) && self.bound.len() < MAX_FLOORS {
                self.bound.push(realm);
            }
        }
        for (role, name) in [
            (Role::Server, HeaderName::AuthenticationInfo),
            (Role::Proxy, HeaderName::new("Proxy-Authentication-Info")),
        ] {
            let Some(text) = response.headers.get(&name) else {
                continue;
            };
            // The header is credentials without a scheme and mostly without a realm: it can only
            // be told apart while one realm of that kind is known.
            let Ok(info) = format!("Digest {text}").parse::<Authorization>() else { continue };
            let mut spaces: Vec<&mut Space> =
                self.spaces.iter_mut().filter(|space| space.role == role).collect();
            if let ([space], Some(nonce)) = (spaces.as_mut_slice(), info.params.get("nextnonce")) {
                space.nonce = nonce.to_owned();
                space.uses = 0;
            }
        }
    }

    /// Forgets all nonces, what the realms offered and which they were, for example after the password changed.
    pub fn forget(&mut self) {
        self.spaces.clear();
        self.floors.clear();
        self.bound.clear();
    }

    /// The offers that may be signed: for a realm of ours, and no weaker than that realm's best.
    fn acceptable(&self, offers: Vec<Offer>, request: &Request) -> Result<Vec<Offer>, AuthError> {
        let mut refused = None;
        let mut kept = Vec::new();
        for offer in offers {
            let realm = offer.realm.clone();
            let floor = self
                .floors
                .iter()
                .find(|(role, known, _)| *role == offer.role && *known == offer.realm);
            if !self.is_ours(&offer, request) {
                refused = Some(AuthError::ForeignRealm { realm });
            } else if floor.is_some_and(|(_, _, best)| is_weak(offer.algorithm) && !is_weak(*best))
            {
                refused = Some(AuthError::Downgraded { realm });
            } else {
                kept.push(offer);
            }
        }
        match refused {
            Some(error) if kept.is_empty() => Err(error),
            _ => Ok(kept),
        }
    }

    /// Whether the credentials are for that realm. A REGISTER goes to the registrar and nobody else;
    /// of what else is sent, a callee far away may ask for a sign-in of its own.
    fn is_ours(&self, offer: &Offer, request: &Request) -> bool {
        if !self.realms.is_empty() {
            return self.realms.contains(&offer.realm);
        }
        let mut bound = self.bound.iter().filter(|(role, _)| *role == offer.role).peekable();
        request.method == Method::Register
            || bound.peek().is_none()
            || bound.any(|(_, realm)| *realm == offer.realm)
    }

    fn raise_floor(&mut self, offer: &Offer) {
        let same = |(role, realm, _): &(Role, String, Algorithm)| {
            *role == offer.role && *realm == offer.realm
        };
        if let Some(at) = self.floors.iter().position(same) {
            self.floors.remove(at);
        } else if self.floors.len() >= MAX_FLOORS {
            self.floors.remove(0);
        }
        self.floors.push((offer.role, offer.realm.clone(), offer.algorithm));
    }

    /// Whether another attempt makes sense; the number of stale rounds it is part of.
    fn judge(&self, offer: &Offer, request: &Request) -> Result<u32, AuthError> {
        let Some(refused) = refused_credentials(request, offer) else { return Ok(0) };
        let realm = offer.realm.clone();
        let space = self.spaces.iter().find(|space| space.is_for(offer.role, &offer.realm));
        let first_use = match (refused.nc, space) {
            (Some(nc), _) => nc <= 1,
            (None, Some(space)) if space.nonce == refused.nonce => space.uses <= 1,
            (None, Some(_)) => true,
            // Forgotten on purpose: whatever was refused, these credentials are new.
            (None, None) => false,
        };
        let stale =
            offer.params.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true"));
        let repeated = offer.params.get("nonce") == Some(refused.nonce.as_str());
        if stale {
            let rounds = space.map_or(0, |space| space.stale_rounds);
            // The same nonce again is no better than a new one that was not used.
            let rounds = if first_use || repeated { rounds + 1 } else { 0 };
            if rounds > MAX_STALE_ROUNDS {
                return Err(AuthError::StaleLoop { realm });
            }
            return Ok(rounds);
        }
        if (repeated || first_use) && space.is_some() {
            return Err(AuthError::WrongCredentials { realm });
        }
        Ok(0)
    }
}

impl Space {
    pub(super) fn new(offer: Offer, stale_rounds: u32, random: &mut Random) -> Self {
        let param = |name: &str| offer.params.get(name).map(str::to_owned);
        Self {
            role: offer.role,
            algorithm: offer.algorithm,
            algorithm_named: offer.params.get("algorithm").is_some(),
            nonce: param("nonce").unwrap_or_default(),
            opaque: param("opaque"),
            qop: offer.qop,
            userhash: param("userhash").is_some_and(|value| value.eq_ignore_ascii_case("true")),
            cnonce: random.token(16),
            uses: 0,
            stale_rounds,
            realm: offer.realm,
        }
    }

    fn is_for(&self, role: Role, realm: &str) -> bool {
        self.role == role && self.realm == realm
    }

    pub(super) fn sign(
        &mut self,
        credentials: &Credentials,
        method: &str,
        uri: &str,
        body: &[u8],
    ) -> Authorization {
        self.uses += 1;
        let nc = format!("{:08x}", self.uses);
        let protection =
            self.qop.map(|qop| Protection { qop, nc: &nc, cnonce: &self.cnonce, body });
        let inputs = Inputs {
            algorithm: self.algorithm,
            username: &credentials.username,
            realm: &self.realm,
            password: credentials.password.expose_secret().as_bytes(),
            method,
            uri,
            nonce: &self.nonce,
            protection,
        };
        let mut params = AuthParams::new();
        if self.userhash {
            let plain = format!("{}:{}", credentials.username, self.realm);
            params.push_quoted("username", &self.algorithm.hash(plain.as_bytes()));
            params.push_token("userhash", "true");
        } else {
            params.push_quoted("username", &credentials.username);
        }
        params.push_quoted("realm", &self.realm);
        params.push_quoted("nonce", &self.nonce);
        params.push_quoted("uri", uri);
        params.push_quoted("response", &inputs.response());
        if self.algorithm_named {
            params.push_token("algorithm", self.algorithm.name());
        }
        if let Some(qop) = self.qop {
            params.push_quoted("cnonce", &self.cnonce);
            params.push_token("qop", qop);
            params.push_token("nc", &nc);
        }
        if let Some(opaque) = &self.opaque {
            params.push_quoted("opaque", opaque);
        }
        Authorization { scheme: "Digest".to_owned(), params }
    }
}

/// Whether that is MD5, which RFC 8760 keeps for old servers only.
fn is_weak(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::Md5 | Algorithm::Md5Sess)
}

/// The strongest challenge of each realm that we can answer.
fn offers(refusal: &Response) -> Result<Vec<Offer>, AuthError> {
    let mut best: Vec<Offer> = Vec::new();
    let mut unknown = None;
    for (role, challenge) in challenges(refusal) {
        match Offer::read(role, challenge) {
            Ok(offer) => {
                let rival = |known: &Offer| known.role == role && known.realm == offer.realm;
                match best.iter_mut().find(|known| rival(known)) {
                    Some(known) if offer.algorithm > known.algorithm => *known = offer,
                    Some(_) => {}
                    None => best.push(offer),
                }
            }
            Err(what) => unknown = Some(what),
        }
    }
    match (best.is_empty(), unknown) {
        (false, _) => Ok(best),
        (true, Some(what)) => Err(AuthError::Unsupported(what)),
        (true, None) => Err(AuthError::NoChallenge),
    }
}

fn challenges(refusal: &Response) -> Vec<(Role, Challenge)> {
    let mut all = Vec::new();
    for role in [Role::Server, Role::Proxy] {
        for text in refusal.headers.get_all(&role.challenge_header()) {
            let Ok(list) = Challenge::parse_list(&text) else { continue };
            all.extend(list.into_iter().map(|challenge| (role, challenge)));
        }
    }
    all
}

impl Offer {
    /// The words of what we do not know, if we cannot answer it.
    pub(super) fn read(role: Role, challenge: Challenge) -> Result<Self, String> {
        if !challenge.is_digest() {
            return Err(challenge.scheme);
        }
        let params = challenge.params;
        let algorithm = match params.get("algorithm") {
            Some(name) => name.parse().map_err(|_| name.to_owned())?,
            None => Algorithm::Md5,
        };
        let qop = match params.get("qop") {
            Some(list) => Some(choose_qop(list).ok_or_else(|| format!("qop {list}"))?),
            None => None,
        };
        if params.get("nonce").is_none() {
            return Err("no nonce".to_owned());
        }
        let realm = params.get("realm").unwrap_or_default().to_owned();
        Ok(Self { role, realm, algorithm, qop, params })
    }
}

/// `auth` when offered: a body that is rewritten on its way (by a session border controller) would
/// break `auth-int`.
fn choose_qop(list: &str) -> Option<&'static str> {
    let offers = |wanted: &str| list.split(',').any(|qop| qop.trim().eq_ignore_ascii_case(wanted));
    ["auth", "auth-int"].into_iter().find(|wanted| offers(wanted))
}

/// The realms a request carries credentials for.
fn signed_realms(request: &Request) -> Vec<(Role, String)> {
    let mut realms = Vec::new();
    for role in [Role::Server, Role::Proxy] {
        for text in request.headers.get_all(&role.credentials_header()) {
            let Ok(credentials) = text.parse::<Authorization>() else { continue };
            realms.extend(credentials.params.get("realm").map(|realm| (role, realm.to_owned())));
        }
    }
    realms
}

fn refused_credentials(request: &Request, offer: &Offer) -> Option<Refused> {
    request.headers.get_all(&offer.role.credentials_header()).find_map(|text| {
        let params = text.parse::<Authorization>().ok()?.params;
        if params.get("realm") != Some(offer.realm.as_str()) {
            return None;
        }
        let nc = params.get("nc").and_then(|nc| u32::from_str_radix(nc, 16).ok());
        Some(Refused { nonce: params.get("nonce")?.to_owned(), nc })
    })
}
