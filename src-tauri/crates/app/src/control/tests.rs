//! Requests and replies in their documented form.

use serde_json::json;

use super::*;

fn refusal(line: &str) -> (serde_json::Value, Code) {
    match Request::parse(line).expect_err("refused") {
        Reply { id, result: ReplyResult::Error(error) } => (id, error.code),
        other => panic!("{other:?}"),
    }
}

#[test]
fn commands_are_read_by_name() {
    let request = Request::parse(r#"{"id":7,"cmd":"call.dial","to":"102","x":1}"#).unwrap();
    assert_eq!(request.id, json!(7));
    assert!(
        matches!(request.command, Command::Dial { to, account: None, withhold: false, guarded: false } if to == "102")
    );
    let request = Request::parse(r#"{"cmd":"quit"}"#).unwrap();
    assert!(matches!(request.command, Command::Quit {}));
}

#[test]
fn every_name_is_a_command_and_no_other() {
    for name in NAMES {
        let error = Command::deserialize(json!({ "cmd": name })).err().map(|e| e.to_string());
        assert!(error.is_none_or(|text| text.contains("missing field")), "{name}");
    }
    for name in people::NAMES {
        let read = PeopleCommand::deserialize(json!({ "cmd": name }));
        let error = read.err().map(|error| error.to_string());
        assert!(error.is_none_or(|text| text.contains("missing field")), "{name}");
    }
    for name in sources::NAMES {
        let read = SourceCommand::deserialize(json!({ "cmd": name }));
        let error = read.err().map(|error| error.to_string());
        assert!(error.is_none_or(|text| text.contains("missing field")), "{name}");
    }
    for name in centre::NAMES {
        let read = CentreCommand::deserialize(json!({ "cmd": name }));
        let error = read.err().map(|error| error.to_string());
        assert!(error.is_none_or(|text| text.contains("missing field")), "{name}");
    }
}

#[test]
fn every_command_that_front_ends_are_told_of_is_known_by_its_name() {
    let bindings = crate::bindings();
    let mut names: Vec<&str> = bindings.split("\"cmd\": \"").skip(1).collect();
    names.iter_mut().for_each(|rest| *rest = rest.split('"').next().unwrap());
    assert!(names.len() > NAMES.len());
    for name in names {
        if let Err(reply) = Request::from_value(json!({ "cmd": name })) {
            let ReplyResult::Error(error) = reply.result else { panic!("{name}") };
            assert_ne!(error.code, Code::UnknownCommand, "{name}");
        }
    }
}

#[test]
fn what_is_wrong_is_said_and_the_id_kept() {
    assert_eq!(refusal("hello"), (json!(null), Code::BadRequest));
    assert_eq!(refusal("[1]"), (json!(null), Code::BadRequest));
    assert_eq!(refusal(r#"{"id":"a"}"#), (json!("a"), Code::BadRequest));
    assert_eq!(refusal(r#"{"id":2,"cmd":"call.fly"}"#), (json!(2), Code::UnknownCommand));
    assert_eq!(refusal(r#"{"id":3,"cmd":"call.answer"}"#), (json!(3), Code::BadRequest));
    assert_eq!(refusal(r#"{"id":4,"cmd":"call.answer","call":"x"}"#), (json!(4), Code::BadRequest));
}

#[test]
fn replies_have_the_documented_form() {
    let done = Reply::new(json!(1), Ok(Answer::done()));
    assert_eq!(serde_json::to_value(done).unwrap(), json!({"id": 1, "ok": {}}));
    let call = Reply::new(json!(2), Ok(Answer::Call(CallCreated { call: 5 })));
    assert_eq!(serde_json::to_value(call).unwrap(), json!({"id": 2, "ok": {"call": 5}}));
    let error = Reply::new(json!(3), Err(ErrorReply::new(Code::UnknownCall, "no call 9")));
    assert_eq!(
        serde_json::to_value(error).unwrap(),
        json!({"id": 3, "error": {"code": "unknown_call", "message": "no call 9"}})
    );
}

#[test]
fn a_password_is_never_shown() {
    let line = r#"{"cmd":"account.password","account":"a","password":"hunter2"}"#;
    let request = Request::parse(line).unwrap();
    assert!(!format!("{request:?}").contains("hunter2"));
    let line = r#"{"cmd":"account.password","account":"a","password":123456}"#;
    let reply = Request::parse(line).unwrap_err();
    assert!(!serde_json::to_string(&reply).unwrap().contains("123456"));
}
