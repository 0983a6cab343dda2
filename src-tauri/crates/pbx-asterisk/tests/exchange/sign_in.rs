//! Signing in, and what is read then.

use std::time::Duration;

use pbx::centre::{Input as Told, LinkState};
use proptest::prelude::*;
use secrecy::SecretString;

use crate::lab::{Lab, config, quiet_queues, supervisor};
use pbx_asterisk::{Config, Input, Login};

fn links(lab: &mut Lab) -> Vec<LinkState> {
    let link = |told: Told| if let Told::Link(link) = told { Some(link) } else { None };
    lab.take().into_iter().filter_map(link).collect()
}

#[test]
fn everything_is_read_before_it_is_live() {
    let mut lab = Lab::new(config());
    lab.sign_in();
    lab.read(&quiet_queues());
    insta::assert_snapshot!("signed_in_whole", lab.log);
}

#[test]
fn over_tls_the_secret_itself_is_sent() {
    let mut lab = Lab::new(config());
    lab.connect(true);
    assert!(
        lab.log.contains("Action: Login | ") && lab.log.contains("Secret: geheim"),
        "{}",
        lab.log
    );
}

#[test]
fn in_the_clear_the_secret_is_not_sent_unless_that_is_wanted() {
    let mut lab = Lab::new(config());
    lab.sign_in();
    assert!(!lab.log.contains("geheim"), "{}", lab.log);
    // MD5 of the challenge and the secret.
    assert!(lab.log.contains("Key: b0e2ab05888e112da730edaef603d85a"), "{}", lab.log);
    let mut lab = Lab::new(Config { login: Login::Plain, ..config() });
    lab.connect(false);
    assert!(lab.log.contains("Secret: geheim"));
}

#[test]
fn a_refused_secret_is_tried_once() {
    let mut lab = Lab::new(config());
    lab.connect(false);
    lab.answer("Challenge", "Challenge: 1");
    lab.refuse("Login", "Authentication failed");
    assert_eq!(links(&mut lab), [LinkState::Connecting, LinkState::Refused]);
    assert_eq!(lab.session.poll_timeout(), None);
    lab.wait(Duration::from_secs(3_600));
    assert_eq!(lab.connects, 1);
    lab.input(Input::Secret(SecretString::from("beter")));
    assert_eq!(lab.connects, 2);
    lab.sign_in();
    lab.read(&quiet_queues());
    assert_eq!(links(&mut lab), [LinkState::Connecting, LinkState::Live]);
}

#[test]
fn a_user_who_is_signed_in_elsewhere_is_left_alone() {
    let mut lab = Lab::new(config());
    lab.connect(false);
    lab.answer("Challenge", "Challenge: 1");
    lab.refuse("Login", "Login Already In Use");
    assert_eq!(links(&mut lab), [LinkState::Connecting, LinkState::Elsewhere]);
    assert_eq!(lab.session.poll_timeout(), None);
    lab.input(Input::Start);
    assert_eq!(lab.connects, 2);
}

#[test]
fn what_is_no_exchange_is_tried_again_later() {
    let mut lab = Lab::new(config());
    lab.input(Input::Connected { secure: false, clock: 0 });
    lab.say("220 mail.example ESMTP\n");
    assert_eq!(links(&mut lab), [LinkState::Connecting, LinkState::Lost]);
    lab.wait(Duration::from_secs(2));
    assert_eq!(lab.connects, 2);
}

#[test]
fn one_that_says_nothing_is_left_after_a_while() {
    let mut lab = Lab::new(config());
    lab.input(Input::Connected { secure: false, clock: 0 });
    lab.wait(Duration::from_secs(9));
    assert_eq!(links(&mut lab), [LinkState::Connecting]);
    lab.wait(Duration::from_secs(2));
    assert_eq!(links(&mut lab), [LinkState::Lost]);
}

#[test]
fn an_exchange_that_is_starting_is_asked_again() {
    let mut lab = Lab::new(config());
    lab.sign_in();
    lab.answer("Ping", "Timestamp: 1795657300.0");
    lab.answer("ListCommands", "Ping: x\nQueueStatus: y");
    lab.refuse("QueueStatus", "Invalid/unknown command: QueueStatus. Use Action: ListCommands");
    lab.wait(Duration::from_secs(2));
    assert!(!links(&mut lab).contains(&LinkState::Live));
    lab.wait(Duration::from_secs(2));
    assert_eq!(lab.sent.iter().filter(|(name, _)| name == "QueueStatus").count(), 2);
    lab.list("QueueStatus", &quiet_queues());
    assert_eq!(links(&mut lab), [LinkState::Live]);
}

#[test]
fn stopping_signs_off() {
    let mut lab = Lab::live(config());
    lab.forget();
    lab.input(Input::Stop);
    assert_eq!(lab.sent.first().map(|(name, _)| name.as_str()), Some("Logoff"));
    assert!(lab.log.contains("Close"), "{}", lab.log);
    assert_eq!(lab.session.poll_timeout(), None);
}

#[test]
fn the_user_sees_the_queues_of_the_settings_only() {
    let mut lab = Lab::new(Config { queues: vec!["sales".to_owned()], ..supervisor() });
    lab.sign_in();
    lab.read(&quiet_queues());
    let queues = lab.take().into_iter().find_map(|told| match told {
        Told::Queues(queues) => Some(queues),
        _ => None,
    });
    let names: Vec<String> = queues.unwrap().into_iter().map(|(_, name, _)| name).collect();
    assert_eq!(names, ["sales"]);
}

#[test]
fn no_secret_is_in_what_is_logged_of_the_session() {
    let lab = Lab::live(config());
    assert!(!format!("{:?}", lab.session).contains("geheim"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_borders_of_pieces_mean_nothing(piece in 1_usize..200) {
        let run = |piece| {
            let mut lab = Lab::new(config());
            lab.piece = piece;
            lab.sign_in();
            lab.read(&quiet_queues());
            lab.log
        };
        prop_assert_eq!(run(piece), run(usize::MAX));
    }
}
