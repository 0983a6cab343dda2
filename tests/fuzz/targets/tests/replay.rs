//! Every file of every committed corpus runs through its target, and every target has a corpus.

use std::path::Path;

#[test]
fn corpora_pass() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for (name, target) in fuzz_targets::TARGETS {
        let mut files = 0;
        for entry in std::fs::read_dir(corpora.join(name)).unwrap() {
            target(&std::fs::read(entry.unwrap().path()).unwrap());
            files += 1;
        }
        assert!(files > 0, "{name} has no corpus");
    }
}
