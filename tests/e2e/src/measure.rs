//! Figures about a running process, from the kernel.

use std::fs;

use anyhow::{Context as _, Result};

/// What a process holds and used, at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Resident memory, KiB.
    pub rss_kib: u64,
    /// Its share of memory when shared pages are divided, KiB.
    pub pss_kib: u64,
    /// Processor time of all its threads, seconds.
    pub cpu_seconds: f64,
    /// Threads.
    pub threads: usize,
    /// Open files and sockets.
    pub descriptors: usize,
}

/// Looks at a process.
///
/// # Errors
/// When it is gone.
pub fn usage(id: u32) -> Result<Usage> {
    let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup"))
        .with_context(|| format!("process {id} is gone"))?;
    let field = |name: &str| {
        let line = rollup.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
    };
    let mut nanoseconds = 0_u64;
    let mut threads = 0;
    for task in fs::read_dir(format!("/proc/{id}/task"))?.flatten() {
        threads += 1;
        let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        nanoseconds +=
            text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Usage {
        rss_kib: field("Rss:"),
        pss_kib: field("Pss:"),
        cpu_seconds: nanoseconds as f64 / 1e9,
        threads,
        descriptors: fs::read_dir(format!("/proc/{id}/fd"))?.count(),
    })
}

/// Middle value; NaN of nothing.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let count = values.len();
    match (values.get(count.saturating_sub(1) / 2), values.get(count / 2)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => f64::NAN,
    }
}
