//! The command line's logic, without network, files, clock or randomness: `doorward doctor` and its
//! siblings as programs that ask a carrier for effects.
//!
//! | module | what it is for |
//! |---|---|
//! | [`effects`] | what a carrier performs |
//! | `explanation` | why the gate decides as it does about what somebody pastes |
//! | [`functions`] | what a carrier computes: the gate's engine, regular expressions |
//! | [`program`] | the driver that plays a command |
//! | `commands` | one file for each command: its arguments, and an `async fn run` |
//! | `probes` | one file for each question that is put to a deployment; they fill `Facts` and know no cause |
//! | `facts` | what was learned, by name and type |
//! | [`causes`] | the table of causes, and the rules that find them in the facts; they read no response |
//! | `project` | what a project's files say; facts for the rules of `causes::file_rules` |
//! | `check_report` | what was found in them, as text and JSON |
//! | `report` | what was found, as text, JSON or Markdown |
//! | [`usage`] | the command line as a table: its words and its help |
//! | `secret` | fingerprints, and the near misses of a secret |
//!
//! A carrier makes a [`program::Program`] of the words of its command line and performs what it
//! asks for until it exits: `cli/` natively, `cli/wasm` with Node. Both print the same bytes.

#![cfg_attr(not(test), warn(clippy::too_many_lines))]
#![cfg_attr(test, allow(clippy::panic))] // a test that panics has found something

mod answer;
pub mod causes;
mod check_report;
mod command_line;
mod commands;
mod cookie_file;
mod cookie_line;
mod cures;
pub mod effects;
mod env_file;
mod examination;
mod exit;
mod explanation;
mod facts;
pub mod functions;
mod gate_view;
mod order;
mod output;
mod plan;
mod policy;
mod policy_test;
mod probes;
pub mod program;
mod project;
mod report;
mod run_report;
mod secret;
mod site;
mod suffixes;
mod time_text;
mod url;
pub mod usage;
mod wall;

pub use command_line::{COMMAND_LINE, mistake};
pub use exit::ExitCode;
