//! How a running fit shows: a line on a terminal, nothing elsewhere.

use crate::interrupt;
use crate::text;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use partwise::{Observer, Progress};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::time::Duration;

/// Draws every iteration, and ends the fit on a signal.
pub(crate) struct Bar {
    bar: ProgressBar,
    time_limit: Option<Duration>,
}

impl Bar {
    /// Hidden if `quiet` or if standard error is no terminal.
    pub(crate) fn new(quiet: bool, max_iter: usize, time_limit: Option<Duration>) -> Self {
        let target = if quiet || !std::io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(10)
        };
        let bar = ProgressBar::with_draw_target(Some(max_iter as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:10} {pos}/{len}  {wide_msg}") {
            bar.set_style(style);
        }
        Self { bar, time_limit }
    }

    fn line(&self, p: &Progress) -> String {
        let mut line = format!(
            "error {:.4}  KKT {:.1e} (tol {})",
            p.relative_error,
            p.kkt.residual(),
            text::tolerance(p.tol)
        );
        if p.n_init > 1 {
            line += &format!("  {}/{} done", p.ended, p.n_init);
        }
        if let Some(limit) = self.time_limit {
            let left = (limit.as_secs_f64() - p.seconds).max(0.0);
            line += &format!("  {} left", text::seconds(left));
        }
        line
    }
}

impl Observer for Bar {
    fn iteration(&mut self, p: &Progress) -> ControlFlow<()> {
        if !self.bar.is_hidden() {
            self.bar.set_position(p.iteration as u64);
            self.bar.set_message(self.line(p));
        }
        if interrupt::asked().is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
