//! The only place that prints. A reader that went away (`| head -1`) is no error.

use std::io::{self, ErrorKind, Write};

/// Text to standard output.
pub(crate) fn out(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// A line to standard error; if that fails there is nobody left to tell.
pub(crate) fn err(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
