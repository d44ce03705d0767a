//! Some inputs for every reader; the same ones every time. `cargo xtask fuzz` tries more.

use partwise_fuzz::{Outcome, TARGETS};

#[test]
fn files_that_nobody_would_write_are_refused_or_read_right() {
    const INPUTS: u64 = 12_000;
    for target in TARGETS {
        let corpus = target.corpus();
        let outcomes: Vec<Outcome> = (0..INPUTS)
            .map(|input| target.read(target.input(&corpus, 1, input), 1, input))
            .collect();
        let read = outcomes.iter().filter(|outcome| **outcome == Outcome::Read).count();
        let share = read as f64 / INPUTS as f64;
        // If nothing is read, or all, the inputs test little.
        assert!((0.03..0.97).contains(&share), "{}: {read} of {INPUTS} were read", target.name);
    }
}
