//! What a user keeps at the exchange: messages of the voicemail and personal numbers, read and changed here and seen
//! there.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::centre::{Scene, User};
use e2e::xsi::Visitor;
use serde_json::{Value, json};

fn messages(user: &mut User) -> Result<Vec<Value>> {
    let all = user.balie.request("message.list", &json!({}))?;
    Ok(all.as_array().context("no list")?.clone())
}

fn numbers(user: &mut User) -> Result<Vec<(String, String)>> {
    let all = user.balie.request("personal_number.list", &json!({}))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pair = |one: &Value| (text(&one["name"]), text(&one["number"]));
    Ok(all.as_array().context("no list")?.iter().map(pair).collect())
}

#[test]
pub(crate) fn messages_are_heard_marked_and_deleted() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = scene.user("101")?;
    ensure!(messages(&mut maud)?.is_empty());
    for _ in 0..2 {
        scene.pbx.turn(&json!({"cmd": "voicemail.deposit", "line": "101"}))?;
    }
    let count = |new: u64, old: u64| {
        move |view: &Value| view["messages"] == json!({"new": new, "old": old})
    };
    maud.until("two new messages", count(2, 0))?;
    let all = messages(&mut maud)?;
    ensure!(all.len() == 2 && all.iter().all(|one| one["heard"] == false), "{all:?}");
    let (newest, oldest) = (all[0]["message"].clone(), all[1]["message"].clone());
    ensure!(all[0]["at_ms"].as_u64() >= all[1]["at_ms"].as_u64(), "newest first: {all:?}");
    ensure!(all.iter().all(|one| one["length_ms"].as_u64() > Some(1_000)), "as long: {all:?}");

    let sound = maud.balie.request("message.get", &json!({"message": newest}))?;
    let wav = STANDARD.decode(sound["wav"].as_str().context("no sound")?)?;
    ensure!(wav.starts_with(b"RIFF") && wav.len() > 16_000, "{} bytes", wav.len());

    maud.balie.request("message.mark", &json!({"message": newest, "heard": true}))?;
    maud.until("one heard", count(1, 1))?;
    ensure!(messages(&mut maud)?[0]["heard"] == true);
    maud.balie.request("message.mark", &json!({"message": newest, "heard": false}))?;
    maud.until("both new", count(2, 0))?;
    maud.balie.request("message.delete", &json!({"message": oldest}))?;
    maud.until("one left", count(1, 0))?;
    ensure!(messages(&mut maud)?.len() == 1);
    // It is gone for the web page of the exchange, too, and for whoever asks for it again.
    let listed = Visitor::new(&scene.pbx, "101")?.own("GET", "VoiceMessagingMessages", "")?;
    ensure!(listed.matches("<messageInfo>").count() == 1, "{listed}");
    maud.refused("message.get", &json!({"message": oldest}), "server_error")?;
    maud.refused("message.delete", &json!({"message": ""}), "bad_value")?;
    Ok(())
}

#[test]
pub(crate) fn own_numbers_are_kept_changed_and_given_up() -> Result<()> {
    let scene = Scene::start()?;
    let mut maud = scene.user("101")?;
    ensure!(numbers(&mut maud)?.is_empty());
    let pair = |name: &str, number: &str| (name.to_owned(), number.to_owned());
    let add = |name: &str, number: &str| json!({"name": name, "number": number});
    maud.balie.request("personal_number.add", &add("Zoë", "0612345678"))?;
    maud.balie.request("personal_number.add", &add("Oppas", "0687654321"))?;
    let both = [pair("Oppas", "0687654321"), pair("Zoë", "0612345678")];
    ensure!(numbers(&mut maud)? == both);
    maud.refused("personal_number.add", &add("Zoë", "0611111111"), "server_error")?;
    maud.refused("personal_number.add", &add("", "0611111111"), "bad_value")?;
    maud.refused("personal_number.add", &add("Iemand", "thuis"), "bad_target")?;

    let change =
        |was: &str, name: &str, number: &str| json!({"was": was, "name": name, "number": number});
    maud.balie.request("personal_number.change", &change("Zoë", "Zoë", "0611111111"))?;
    maud.balie.request("personal_number.change", &change("Oppas", "Anna & co", "0687654321"))?;
    let changed = [pair("Anna & co", "0687654321"), pair("Zoë", "0611111111")];
    ensure!(numbers(&mut maud)? == changed);
    // What cannot be changed stays as it is.
    maud.refused(
        "personal_number.change",
        &change("Anna & co", "Zoë", "0687654321"),
        "server_error",
    )?;
    maud.refused(
        "personal_number.change",
        &change("Niemand", "Iemand", "0687654321"),
        "not_found",
    )?;
    ensure!(numbers(&mut maud)? == changed);
    let page = Visitor::new(&scene.pbx, "101")?.own("GET", "directories/Personal", "")?;
    ensure!(page.matches("<entry>").count() == 2, "{page}");
    maud.balie.request("personal_number.remove", &json!({"name": "Anna & co"}))?;
    ensure!(numbers(&mut maud)? == [pair("Zoë", "0611111111")]);
    maud.refused("personal_number.remove", &json!({"name": "Anna & co"}), "server_error")?;
    Ok(())
}
