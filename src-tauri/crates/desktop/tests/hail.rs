//! Words of a second process, over the real way.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::ErrorKind;
use std::time::Duration;

use desktop::hail::{self, Place, Said};

/// Longest wait for something that must come.
const PATIENCE: Duration = Duration::from_secs(30);

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Asks from a thread of its own, as another process would, until somebody hears.
async fn ask(place: &Place, said: &[&str]) -> Said {
    let (place, said) = (place.clone(), words(said));
    let asking = tokio::task::spawn_blocking(move || {
        loop {
            match hail::ask(&place, &said) {
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::NotFound | ErrorKind::ConnectionRefused
                    ) =>
                {
                    std::thread::yield_now();
                }
                other => return other.unwrap(),
            }
        }
    });
    tokio::time::timeout(PATIENCE, asking).await.unwrap().unwrap()
}

async fn obey(words: Vec<String>) -> Said {
    match words.as_slice() {
        [word] if word == "answer" => Said::done(),
        [word, number] if word == "dial" => {
            Said::refused("bad_target", format!("{number} is none"))
        }
        _ => Said::refused("wrong_state", "there is no call"),
    }
}

#[tokio::test]
async fn words_are_heard_and_answered_with_what_came_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(&folder.path().join("not there yet"));
    let running = tokio::spawn(hail::serve(place.clone(), obey));
    assert_eq!(ask(&place, &["answer"]).await, Said::done());
    let refused = ask(&place, &["dial", "?"]).await;
    assert_eq!((refused.done, refused.code.as_str()), (false, "bad_target"));
    assert_eq!(ask(&place, &["hold"]).await.code, "wrong_state");
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    // Nobody is left who hears.
    assert!(hail::ask(&place, &words(&["answer"])).is_err());
}

#[tokio::test]
async fn what_an_earlier_run_left_behind_is_in_nobodys_way_and_a_running_one_is_not_driven_out() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(folder.path());
    std::fs::write(folder.path().join("desk.sock"), "left behind").unwrap();
    let running = tokio::spawn(hail::serve(place.clone(), obey));
    assert_eq!(ask(&place, &["answer"]).await, Said::done());
    let second = tokio::time::timeout(PATIENCE, hail::serve(place.clone(), obey)).await.unwrap();
    assert_eq!(second.unwrap_err().kind(), ErrorKind::AddrInUse);
    assert_eq!(ask(&place, &["answer"]).await, Said::done());
    running.abort();
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_say_anything_and_nonsense_ends_nothing() {
    use std::io::{Read as _, Write as _};
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixStream;

    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(folder.path());
    let running = tokio::spawn(hail::serve(place.clone(), obey));
    assert_eq!(ask(&place, &["answer"]).await, Said::done());
    let socket = folder.path().join("desk.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let nonsense = tokio::task::spawn_blocking(move || {
        let mut answers = Vec::new();
        for text in ["{}\n", "\n", "[\"a\", 1]\n"] {
            let mut way = UnixStream::connect(&socket).unwrap();
            way.write_all(text.as_bytes()).unwrap();
            let mut answer = String::new();
            way.read_to_string(&mut answer).unwrap();
            answers.push(answer);
        }
        answers
    });
    for answer in tokio::time::timeout(PATIENCE, nonsense).await.unwrap().unwrap() {
        assert!(answer.contains("bad_request"), "{answer}");
    }
    assert_eq!(ask(&place, &["answer"]).await, Said::done());
    running.abort();
}
