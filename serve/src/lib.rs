//! The native server of Doorward: a reverse proxy in front of an application, or what other proxies
//! ask before they forward a request (forward-auth).
//!
//! It is a host like the others: it listens, speaks HTTP, and does what the engine decides, by the
//! host kit. Nothing in here decides about a request.
//!
//! | module | what it is for |
//! |---|---|
//! | `options` | what the command line says |
//! | `setup` | from the configuration's file to a gate, and again when it changes |
//! | `gate` | the host: the engine with a clock and a network |
//! | `client` | connections to the origin and to auth services |
//! | `run` | the server's beginning and its end |
//! | `server` | what all its connections share |
//! | `listen` | connections of clients, and their end |
//! | `tls` | certificates of the server, authorities of others |
//! | `proxy` | a request on its way to the origin, and its response |
//! | `body` | a request's body, counted |
//! | `tunnel`, `frames` | WebSockets |
//! | `over` | when a connection that stays open has to end |
//! | `verify` | forward-auth: what a proxy asks, and what it hears |
//! | `print` | the configurations of proxies |
//! | `admin` | metrics and health, for this machine |
//! | `log` | lines about the server itself |

#![cfg_attr(not(test), warn(clippy::too_many_lines))]

mod admin;
mod body;
mod client;
mod frames;
mod gate;
mod listen;
mod log;
mod options;
mod over;
mod print;
mod proxy;
mod run;
mod server;
mod setup;
mod tls;
mod tunnel;
mod verify;

pub use options::{Options, Wrong};
pub use run::{Running, run, start};

/// Does what a command line asks for: prints a proxy's configuration, or serves until the process
/// is told to stop.
///
/// # Errors
/// What is wrong with the command line, the configuration or the machine, for a person.
pub fn main(given: &[(String, String)]) -> Result<(), Wrong> {
    let options = Options::of(given)?;
    match options.print {
        Some(proxy) => print::print(&options, proxy),
        None => run(options),
    }
}
