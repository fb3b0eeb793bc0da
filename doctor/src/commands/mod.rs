//! One file for each command: its arguments, and the `async fn` that does it.
//!
//! A command gets [`Io`], performs effects and gives the [`ExitCode`]. Its answer goes to standard
//! output (`io.out`), everything else to standard error (`io.err`, `io.error`).

pub(crate) mod causes;
pub(crate) mod check;
pub(crate) mod doctor;
pub(crate) mod doctor_diff;
pub(crate) mod explain;
pub(crate) mod explain_log;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod reasons;
pub(crate) mod routes;
pub(crate) mod serve;
pub(crate) mod test;
