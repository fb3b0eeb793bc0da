//! The command line as a native program: performs what the commands of `doorward-doctor` ask for.
//!
//! Nothing is decided here. What a command does, says and exits with is the same as with
//! `npx doorward`, which performs the same effects with Node (`middleware/bin/doorward.mjs`).

mod clock;
mod files;
mod http;
mod keys;
mod terminal;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use doorward_doctor::effects::{Effect, EffectResult};
use doorward_doctor::functions::Native;
use doorward_doctor::program::{Input, Program, Step};
use doorward_serve::Wrong;

fn main() -> ExitCode {
    let (sender, receiver) = channel();
    let on_interrupt = sender.clone();
    // Without a handler an interruption ends the program at once, which is no worse.
    let _ = ctrlc::set_handler(move || {
        let _ = on_interrupt.send(Event::Interrupted);
    });
    let mut carrier = Carrier { http: http::Client::default(), sender, receiver };
    let input = Input {
        args: std::env::args().skip(1).collect(),
        out_is_terminal: std::io::stdout().is_terminal(),
        err_is_terminal: std::io::stderr().is_terminal(),
    };
    let mut program = Program::new(input, Rc::new(Native));
    let mut step = program.start();
    loop {
        match step {
            Step::Perform(effect) => step = program.resume(carrier.perform(effect)),
            Step::Exit(code) => return ExitCode::from(code.number()),
        }
    }
}

/// What the main thread waits for.
enum Event {
    Done(EffectResult),
    Interrupted,
}

struct Carrier {
    http: http::Client,
    sender: Sender<Event>,
    receiver: Receiver<Event>,
}

impl Carrier {
    fn perform(&mut self, effect: Effect) -> EffectResult {
        match effect {
            Effect::Http(request) => {
                let client = self.http.clone();
                self.interruptible(move || client.send(&request))
            }
            Effect::Sleep { millis } => self.interruptible(move || {
                thread::sleep(Duration::from_millis(millis));
                EffectResult::Done
            }),
            Effect::Prompt { text, secret } => {
                self.interruptible(move || terminal::prompt(&text, secret))
            }
            Effect::Read { path, max_bytes } => files::read(&path, max_bytes),
            Effect::List { dir } => files::list(&dir),
            Effect::Write { path, text, private } => files::write(&path, &text, private),
            Effect::Env { name } => std::env::var(&name)
                .map_or(EffectResult::Absent, |text| EffectResult::Text { text }),
            Effect::EnvNames => EffectResult::Names {
                names: std::env::vars_os()
                    .filter_map(|(name, _)| name.into_string().ok())
                    .collect(),
            },
            Effect::LoadFunctions => EffectResult::Done,
            Effect::Now => EffectResult::Time { millis: clock::now() },
            Effect::Random { count } => keys::random(count),
            Effect::GenerateKey { algorithm } => keys::generate(&algorithm),
            Effect::CheckSignature { algorithm, key, message, signature } => {
                keys::check(&algorithm, key, message, signature)
            }
            Effect::Print { stream, text } => terminal::print(stream, &text),
            Effect::Serve { options } => match doorward_serve::main(&options) {
                Ok(()) => EffectResult::Done,
                Err(Wrong { problem, hint }) => {
                    EffectResult::Refused { problem, hint: hint.unwrap_or_default() }
                }
            },
            _ => EffectResult::Failed { message: "this program cannot do that".to_owned() },
        }
    }

    /// Does something that takes its time on another thread, so that an interruption ends the wait.
    fn interruptible(&self, work: impl FnOnce() -> EffectResult + Send + 'static) -> EffectResult {
        let sender = self.sender.clone();
        thread::spawn(move || {
            let _ = sender.send(Event::Done(work()));
        });
        match self.receiver.recv() {
            Ok(Event::Done(result)) => result,
            Ok(Event::Interrupted) | Err(_) => EffectResult::Interrupted,
        }
    }
}
