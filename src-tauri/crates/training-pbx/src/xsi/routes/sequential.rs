//! `user/{id}/services/SequentialRing`: five places at which a user is looked for, one after the other.
//!
//! The criteria of the service can only be read here, and there are none: every call is looked for where a place has a
//! number. That a caller may stop the search is kept and not played.

use super::Cx;
use crate::desk::Sequence;
use crate::exchange::Exchange;
use crate::xsi::Xsi;
use crate::xsi::element::Element;
use crate::xsi::names::dialled;
use crate::xsi::read::{BadBody, Node, read};
use crate::xsi::web::{Answer, Outcome, Refusal};

/// The elements, in order.
const ELEMENTS: [&str; 10] = [
    "ringBaseLocationFirst",
    "baseLocationNumberOfRings",
    "continueIfBaseLocationIsBusy",
    "callerMayStopSearch",
    PLACES[0],
    PLACES[1],
    PLACES[2],
    PLACES[3],
    PLACES[4],
    "criteriaActivationList",
];
const PLACES: [&str; 5] = ["location1", "location2", "location3", "location4", "location5"];

/// The service as it is set.
#[derive(Debug, Clone)]
pub(crate) struct Sequential {
    own_first: bool,
    own_rings: u32,
    past_busy: bool,
    caller_may_stop: bool,
    places: [Place; 5],
}

#[derive(Debug, Clone)]
struct Place {
    number: Option<String>,
    rings: u32,
    confirmed: bool,
}

impl Default for Place {
    fn default() -> Self {
        Self { number: None, rings: 3, confirmed: false }
    }
}

impl Default for Sequential {
    fn default() -> Self {
        Self {
            own_first: true,
            own_rings: 2,
            past_busy: true,
            caller_may_stop: true,
            places: Default::default(),
        }
    }
}

impl Sequential {
    fn document(&self, root: &'static str) -> Element {
        let place = |(name, place): (&'static str, &Place)| {
            Element::new(name)
                .maybe("address", place.number.as_deref())
                .field("numberOfRings", place.rings)
                .field("answerConfirmationRequired", place.confirmed)
        };
        Element::new(root)
            .field("ringBaseLocationFirst", self.own_first)
            .field("baseLocationNumberOfRings", self.own_rings)
            .field("continueIfBaseLocationIsBusy", self.past_busy)
            .field("callerMayStopSearch", self.caller_may_stop)
            .all(PLACES.into_iter().zip(&self.places).map(place))
    }

    fn change(&mut self, body: &Node) -> Result<(), Refusal> {
        body.in_order(&ELEMENTS)?;
        let own_rings = rings(body, "baseLocationNumberOfRings")?;
        self.own_first = body.bool("ringBaseLocationFirst")?.unwrap_or(self.own_first);
        self.own_rings = own_rings.unwrap_or(self.own_rings);
        self.past_busy = body.bool("continueIfBaseLocationIsBusy")?.unwrap_or(self.past_busy);
        self.caller_may_stop = body.bool("callerMayStopSearch")?.unwrap_or(self.caller_may_stop);
        for (name, place) in PLACES.into_iter().zip(&mut self.places) {
            let Some(given) = body.child(name) else { continue };
            given.in_order(&["address", "numberOfRings", "answerConfirmationRequired"])?;
            match given.clearable("address") {
                None => {}
                Some(None) => place.number = None,
                Some(Some(text)) => {
                    let number = dialled(&text);
                    let bad = || Refusal::bad(format!("Invalid address {text:?}"));
                    place.number = Some(number.ok_or_else(bad)?);
                }
            }
            place.rings = rings(given, "numberOfRings")?.unwrap_or(place.rings);
            let confirmed = given.bool("answerConfirmationRequired")?;
            place.confirmed = confirmed.unwrap_or(place.confirmed);
        }
        Ok(())
    }

    /// What the exchange is to do.
    fn sequence(&self) -> Sequence {
        let place = |place: &Place| Some((place.number.clone()?, place.rings));
        Sequence {
            own_rings: self.own_first.then_some(self.own_rings),
            past_busy: self.past_busy,
            places: self.places.iter().filter_map(place).collect(),
        }
    }
}

/// None, or two to twenty.
fn rings(node: &Node, name: &str) -> Result<Option<u32>, BadBody> {
    match node.number(name, 0..=20)? {
        Some(1) => Err(BadBody(format!("{name} is 1, and not 0 or 2 to 20"))),
        rings => Ok(rings),
    }
}

impl Xsi {
    pub(super) fn sequential(
        &mut self,
        exchange: &mut Exchange,
        cx: &Cx<'_>,
        user: &str,
    ) -> Outcome {
        match cx.method() {
            "GET" => Ok(Answer::local(self.sequential_info(user, "SequentialRing"))),
            "PUT" => {
                let body = read(&cx.request.body, "SequentialRing")?;
                let mut set = self.lists.sequential.get(user).cloned().unwrap_or_default();
                set.change(&body)?;
                let sequence = set.sequence();
                exchange.change_desk(cx.now, |desk| {
                    desk.change_rules(user, |rules| rules.sequence = sequence);
                });
                self.lists.sequential.insert(user.to_owned(), set);
                Ok(Answer::done())
            }
            _ => Err(Refusal::not_allowed()),
        }
    }

    /// Sequential ring as it is set.
    pub(in crate::xsi) fn sequential_info(&self, user: &str, root: &'static str) -> Element {
        match self.lists.sequential.get(user) {
            Some(set) => set.document(root),
            None => Sequential::default().document(root),
        }
    }
}
