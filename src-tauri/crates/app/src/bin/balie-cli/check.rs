//! `check`: the line check of every account, whether there is sound, and whether a call has it in both directions.

use app::code::Code;
use app::config::{Config, Sound};
use app::control::{CallStats, ErrorReply, TestKind, TestReport, TestStep};

use crate::out::{self, Failure};
use crate::{Check, call, setup};

/// How long the test call lasts, seconds.
const TALK: u64 = 3;

pub(crate) async fn run(arguments: Check) -> Result<(), Failure> {
    let _log = setup::log(None, app::logs::FILE_BYTES)?;
    let config = setup::config(&arguments.config)?;
    let mut accounts = Vec::new();
    for account in config.accounts.clone() {
        let id = account.id.clone();
        let mut report = app::line_check(config.clone(), account.clone()).await;
        report.steps.insert(0, good(TestKind::Config, None));
        if let Some(to) = arguments.call.as_deref().filter(|_| report.ok) {
            let mut alone = config.clone();
            alone.accounts = vec![account];
            let step = heard(call::try_out(alone, to, Sound::Null, TALK).await);
            report.ok &= step.ok;
            report.steps.push(step);
        }
        accounts.push((id, report));
    }
    let audio = audio().await;
    let ok = audio.ok && !accounts.is_empty() && accounts.iter().all(|(_, report)| report.ok);
    if arguments.json {
        print_json(ok, &accounts, &audio)?;
    } else {
        print_text(&config, &accounts, &audio)?;
    }
    if ok { Ok(()) } else { Err(Failure::told()) }
}

fn print_json(
    ok: bool,
    accounts: &[(String, TestReport)],
    audio: &TestStep,
) -> Result<(), Failure> {
    let list: Vec<_> = accounts
        .iter()
        .map(|(id, report)| {
            serde_json::json!({ "account": id, "ok": report.ok, "steps": report.steps })
        })
        .collect();
    out::json(&serde_json::json!({ "ok": ok, "accounts": list, "audio": audio }))
}

fn print_text(
    config: &Config,
    accounts: &[(String, TestReport)],
    audio: &TestStep,
) -> Result<(), Failure> {
    if config.accounts.is_empty() {
        out::text("no account in the configuration")?;
    }
    for (id, report) in accounts {
        for step in &report.steps {
            out::text(&format!("{id}: {}", line(step)))?;
        }
    }
    out::text(&line(audio))
}

fn line(step: &TestStep) -> String {
    let what = match step.kind {
        TestKind::Config => "settings",
        TestKind::Resolve => "name of the server",
        TestKind::Reach => "server answers",
        TestKind::Path => "way to the server",
        TestKind::Register => "registration",
        TestKind::Audio => "sound devices",
        TestKind::Call => "sound both ways",
    };
    let code = step.code.and_then(|code| serde_json::to_value(code).ok());
    let code = code.and_then(|code| code.as_str().map(|word| format!(" {word}")));
    let detail = step.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let verdict = if step.ok { "good" } else { "WRONG" };
    format!("{what}: {verdict}{}{detail}", code.unwrap_or_default())
}

async fn audio() -> TestStep {
    let listed = tokio::task::spawn_blocking(media::devices).await;
    match listed {
        Ok(Ok(devices)) => {
            let count = |kind| devices.iter().filter(|device| device.kind == kind).count();
            let (inputs, outputs) =
                (count(media::DeviceKind::Input), count(media::DeviceKind::Output));
            let detail = format!("{inputs} microphones, {outputs} loudspeakers");
            if inputs > 0 && outputs > 0 {
                good(TestKind::Audio, Some(detail))
            } else {
                bad(Code::NoAudioDevice, detail)
            }
        }
        Ok(Err(error)) => bad(Code::NoAudioDevice, error.to_string()),
        Err(error) => bad(Code::Internal, error.to_string()),
    }
}

/// What a call says of the way that sound takes. What the other side received only it can tell (RTCP).
fn heard(outcome: Result<CallStats, ErrorReply>) -> TestStep {
    let stats = match outcome {
        Ok(stats) => stats,
        Err(error) => return wrong(TestKind::Call, error.code, error.message),
    };
    let lost = |lost: Option<u64>| lost.map_or("unknown".to_owned(), |lost| lost.to_string());
    let detail = format!(
        "{}; received {} packets, {} lost; sent {}, {} lost",
        stats.codec.as_deref().unwrap_or("no codec"),
        stats.rx.packets,
        lost(stats.rx.lost),
        stats.tx.packets,
        lost(stats.tx.lost),
    );
    if stats.rx.packets == 0 || stats.tx.packets == 0 {
        return wrong(TestKind::Call, Code::NoSound, detail);
    }
    good(TestKind::Call, Some(detail))
}

fn good(kind: TestKind, detail: Option<String>) -> TestStep {
    TestStep { kind, ok: true, code: None, detail }
}

fn bad(code: Code, detail: String) -> TestStep {
    wrong(TestKind::Audio, code, detail)
}

fn wrong(kind: TestKind, code: Code, detail: String) -> TestStep {
    TestStep { kind, ok: false, code: Some(code), detail: Some(detail) }
}
