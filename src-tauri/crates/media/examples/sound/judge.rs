//! The judge of sound: a Python program that scores what is heard against what was said.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const PROGRAM: &str = include_str!("judge.py");

/// What the judge says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scores {
    /// Mean and least PESQ-WB of the pieces.
    pub(crate) pesq: f64,
    pub(crate) least: f64,
    /// Mean PLCMOS (version 2) of the pieces.
    pub(crate) plcmos: f64,
}

impl Scores {
    /// Without a judge.
    pub(crate) const UNKNOWN: Self = Self { pesq: f64::NAN, least: f64::NAN, plcmos: f64::NAN };
}

/// A running judge; it ends when it is dropped.
pub(crate) struct Judge {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    /// Starts one where `BALIE_LAB_PYTHON` names a Python with the packages `pesq` and `speechmos`.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        let python = std::env::var_os("BALIE_LAB_PYTHON")?;
        let program = folder.join("judge.py");
        fs::write(&program, PROGRAM).unwrap();
        let mut command = Command::new(python);
        command.arg(&program).stdin(Stdio::piped()).stdout(Stdio::piped());
        Some(Self::of(command.spawn().unwrap()))
    }

    fn of(mut child: Child) -> Self {
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, questions, answers }
    }

    /// Hands over two files of 16-bit samples at 16 kHz, the second `lag` samples later than the first.
    pub(crate) fn ask(&mut self, said: &Path, heard: &Path, lag: usize) {
        let questions = self.questions.as_mut().unwrap();
        writeln!(questions, "{}\t{}\t{lag}", said.display(), heard.display()).unwrap();
    }

    /// Waits for what it says of the oldest files it has not spoken of yet.
    pub(crate) fn answer(&mut self) -> Scores {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let numbers: Vec<f64> =
            line.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let [pesq, least, plcmos] = numbers[..] else { panic!("the judge said {line:?}") };
        Scores { pesq, least, plcmos }
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It ends with its questions.
        self.questions = None;
        let _ = self.child.wait();
    }
}
