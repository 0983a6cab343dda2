//! Actions on schedules (reference, section 3.1).

use super::{Actions, Built};
use crate::{
    Action, HttpRequest, Method,
    wire::{ScheduleEvent, ScheduleRef, read_schedule, read_schedules},
};

impl Actions {
    /// The schedules that the user can see.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn schedules(&self) -> Built<Vec<ScheduleRef>> {
        let request = self.request(Method::Get, "profile/Schedule")?;
        Ok(Action::new(request, |reply| {
            Ok(reply.document.as_ref().map(read_schedules).unwrap_or_default())
        }))
    }

    /// The events of a schedule.
    ///
    /// # Errors
    /// See [`Self::profile`].
    pub fn schedule(&self, one: &ScheduleRef) -> Built<Vec<ScheduleEvent>> {
        let mut path = self.path("profile/Schedule")?;
        if one.path.is_empty() {
            path = path.word(if one.holidays { "Holiday" } else { "Time" }).part(&one.name)?;
        }
        for part in &one.path {
            path = path.part(part)?;
        }
        let request = HttpRequest::action(Method::Get, path);
        Ok(Action::new(request, |reply| Ok(read_schedule(reply.root()?))))
    }
}
