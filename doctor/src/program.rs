//! The driver: plays the command that a command line names, one effect at a time.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use serde::Deserialize;

use crate::command_line::{self, Command, Parsed};
use crate::commands::{
    causes, check, doctor, explain, explain_log, init, keys, reasons, routes, serve, test,
};
use crate::effects::{Desk, Effect, EffectResult, Io};
use crate::exit::ExitCode;
use crate::functions::{Carrier, Functions};
use crate::output::Output;

/// What the carrier knows at the start.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Input {
    /// The words of the command line, without the program's name.
    pub args: Vec<String>,
    /// Whether standard output is a terminal: then the answer has colours.
    #[serde(default)]
    pub out_is_terminal: bool,
    /// Whether standard error is a terminal: then progress is shown.
    #[serde(default)]
    pub err_is_terminal: bool,
}

/// What the carrier does next.
pub enum Step {
    /// Perform this and call [`Program::resume`] with what came of it.
    Perform(Effect),
    /// End the process with this status.
    Exit(ExitCode),
}

/// A command that is being played.
pub struct Program {
    future: Pin<Box<dyn Future<Output = ExitCode>>>,
    desk: Rc<Desk>,
}

impl Program {
    /// Starts the command that these words name, with what the carrier computes for it.
    pub fn new(input: Input, functions: Rc<dyn Functions>) -> Self {
        let desk = Rc::new(Desk::default());
        let io = Io::new(Rc::clone(&desk), Carrier::new(functions));
        Self { future: Box::pin(run(io, input)), desk }
    }

    /// The first step.
    pub fn start(&mut self) -> Step {
        self.step()
    }

    /// The next step, after an effect was performed.
    pub fn resume(&mut self, result: EffectResult) -> Step {
        if matches!(result, EffectResult::Interrupted) {
            self.desk.interrupted.set(true);
        }
        *self.desk.result.borrow_mut() = Some(result);
        self.step()
    }

    fn step(&mut self) -> Step {
        let mut context = Context::from_waker(Waker::noop());
        match self.future.as_mut().poll(&mut context) {
            Poll::Ready(code) => Step::Exit(code),
            Poll::Pending => match self.desk.effect.borrow_mut().take() {
                Some(effect) => Step::Perform(effect),
                // A command waits for nothing but effects, so this does not come about.
                None => Step::Exit(ExitCode::Unfinished),
            },
        }
    }
}

// A step carries secrets (a probe's cookie, a private key), so it does not show its content.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").finish_non_exhaustive()
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").finish_non_exhaustive()
    }
}

/// Parses the command line and runs the command that it names.
async fn run(io: Io, input: Input) -> ExitCode {
    let line = match command_line::parse(&input.args) {
        Parsed::Command(line) => line,
        Parsed::Help(text) => {
            io.out(text).await;
            return ExitCode::Good;
        }
        Parsed::Wrong(text) => {
            io.err(text).await;
            return ExitCode::Usage;
        }
    };
    let output = Output {
        json: line.json,
        colour: input.out_is_terminal && !line.json && has_no(&io, "NO_COLOR").await,
        progress: input.err_is_terminal,
    };
    if asks_the_engine(&line.command) {
        io.perform(Effect::LoadFunctions).await;
    }
    match line.command {
        Command::Doctor(args) => doctor::run(&io, args, output).await,
        Command::Check(args) => check::run(&io, args, output).await,
        Command::Explain(args) => explain::run(&io, args, output).await,
        Command::ExplainLog(args) => explain_log::run(&io, args, output).await,
        Command::Init(args) => init::run(&io, args, output).await,
        Command::Routes(args) => routes::run(&io, args, output).await,
        Command::Test(args) => test::run(&io, args, output).await,
        Command::Keys(args) => keys::run(&io, args, output).await,
        Command::Causes(args) => causes::run(&io, &args, output).await,
        Command::Reasons(args) => reasons::run(&io, &args, output).await,
        Command::Serve(args) => serve::run(&io, args).await,
    }
}

/// Whether a command asks the gate's engine, or matches regular expressions.
const fn asks_the_engine(command: &Command) -> bool {
    matches!(
        command,
        Command::Doctor(_)
            | Command::Check(_)
            | Command::Explain(_)
            | Command::Init(_)
            | Command::Routes(_)
            | Command::Test(_)
    )
}

/// Whether a variable is unset or blank.
async fn has_no(io: &Io, name: &str) -> bool {
    io.env(name).await.is_none_or(|value| value.is_empty())
}
