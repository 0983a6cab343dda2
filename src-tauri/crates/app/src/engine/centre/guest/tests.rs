//! A guest is signed in once he has proved himself, and what stands in the way is named.

use std::cell::Cell;

use super::*;

const START: Duration = Duration::from_secs(1_000);

struct Lab {
    seat: GuestSeat,
    now: Instant,
    sent: Vec<SetHoteling>,
    done: Vec<Result<(), Failure>>,
    changed: Cell<u32>,
}

impl Lab {
    fn following() -> Lab {
        #[expect(clippy::disallowed_methods, reason = "only the beginning of virtual time")]
        let now = Instant::now() + START;
        let mut seat = GuestSeat::new();
        assert_eq!(seat.poll_output(), Some(Out::Subscribe));
        assert!(!seat.is_known());
        let (sent, done, changed) = (Vec::new(), Vec::new(), Cell::default());
        seat.notified(now, HotelingEvent::default().write().as_bytes());
        let mut lab = Lab { seat, now, sent, done, changed };
        lab.drain();
        assert!(lab.seat.is_known() && !lab.seat.is_busy());
        lab
    }

    fn drain(&mut self) {
        while let Some(out) = self.seat.poll_output() {
            match out {
                Out::Subscribe => panic!("subscribed already"),
                Out::Send(wish) => self.sent.push(wish),
                Out::Done(result) => self.done.push(result),
                Out::Changed => self.changed.set(self.changed.get() + 1),
            }
        }
    }

    fn tell(&mut self, guest: Option<&str>, nonce: Option<&str>) {
        let event = HotelingEvent {
            guest: guest.map(|guest| format!("sip:{guest}@pbx.example")),
            expires: guest.map(|_| 60),
            nonce: nonce.map(str::to_owned),
        };
        self.seat.notified(self.now, event.write().as_bytes());
        self.drain();
    }

    fn sign(&mut self, guest: &str) {
        let uri = Uri::parse(&format!("sip:{guest}@pbx.example")).unwrap();
        self.seat.sign(self.now, Some((uri, SecretString::from("4711".to_owned()))));
        self.drain();
    }

    fn answer(&mut self, status: Option<u16>) {
        self.seat.answered(status.and_then(StatusCode::new));
        self.drain();
    }
}

/// `echo -n 'n1:4711' | md5sum`.
const PROOF: &str = "fd9f0167dbb047b136bba01934f71a75";

#[test]
fn a_guest_is_asked_for_proved_and_there() {
    let mut lab = Lab::following();
    lab.sign("103");
    let wish = SetHoteling { guest: Some("sip:103@pbx.example".into()), proof: None };
    assert_eq!(lab.sent, [wish]);
    lab.answer(Some(200));
    lab.tell(None, Some("n1"));
    assert_eq!(lab.sent[1].proof, Some(("n1".to_owned(), PROOF.to_owned())));
    assert!(lab.done.is_empty() && lab.seat.is_busy());
    lab.answer(Some(200));
    lab.tell(Some("103"), None);
    assert_eq!(lab.done, [Ok(())]);
    let guest = lab.seat.guest().unwrap();
    assert_eq!(
        (guest.address.as_str(), guest.until),
        ("sip:103@pbx.example", Some(lab.now + Duration::from_secs(60)))
    );
    // And leaves.
    lab.seat.sign(lab.now, None);
    lab.drain();
    assert_eq!(lab.sent[2], SetHoteling::default());
    lab.tell(None, None);
    assert_eq!((lab.done.len(), lab.seat.guest()), (2, None));
    assert!(lab.changed.get() > 0);
}

#[test]
fn a_question_of_before_is_not_answered_and_one_secret_is_proved_once() {
    let mut lab = Lab::following();
    lab.tell(None, Some("n0"));
    assert!(lab.sent.is_empty());
    lab.sign("103");
    assert_eq!(lab.sent[0].proof, None);
    lab.answer(Some(200));
    lab.tell(None, Some("n1"));
    assert_eq!(lab.sent[1].proof, Some(("n1".to_owned(), PROOF.to_owned())));
    lab.answer(Some(200));
    lab.tell(None, Some("n2"));
    assert_eq!((lab.done.as_slice(), lab.sent.len()), ([Err(Failure::WrongSecret)].as_slice(), 2));
}

#[test]
fn what_stands_in_the_way_is_named_and_the_next_try_is_free() {
    let mut lab = Lab::following();
    lab.sign("103");
    lab.sign("104");
    assert_eq!(lab.done, [Err(Failure::Busy)]);
    // What was on its way before is no answer; what comes after the answer is.
    lab.tell(Some("105"), None);
    assert!(lab.seat.is_busy());
    lab.answer(Some(200));
    lab.tell(Some("105"), None);
    assert_eq!(lab.done[1], Err(Failure::Refused));
    lab.sign("103");
    lab.answer(Some(403));
    assert_eq!(lab.done[2], Err(Failure::Status(403)));
    lab.sign("103");
    lab.answer(None);
    lab.sign("103");
    lab.seat.not_sent();
    lab.drain();
    lab.sign("103");
    let due = lab.seat.poll_timeout().unwrap();
    lab.seat.handle_timeout(due - Duration::from_millis(1));
    assert!(lab.seat.is_busy());
    lab.seat.handle_timeout(due);
    lab.drain();
    assert_eq!(lab.done[3..], [Err(Failure::Unavailable); 3]);
    assert_eq!(lab.seat.poll_timeout(), None);
}

#[test]
fn nothing_is_asked_before_the_exchange_has_told_anything_and_nonsense_changes_nothing() {
    let mut seat = GuestSeat::new();
    #[expect(clippy::disallowed_methods, reason = "only the beginning of virtual time")]
    let now = Instant::now();
    seat.poll_output();
    seat.sign(now, None);
    assert_eq!(seat.poll_output(), Some(Out::Done(Err(Failure::Unavailable))));
    seat.notified(now, b"");
    seat.notified(now, b"<HotelingEvent><guestAddress>");
    assert!(!seat.is_known() && seat.poll_output().is_none());
}

#[test]
fn the_secret_is_in_no_debugging_text() {
    let mut lab = Lab::following();
    lab.sign("103");
    assert!(!format!("{:?}", lab.seat).contains("4711"));
}
