//! A carrier of tests: files and variables are tables, and what is written is kept.

#![allow(dead_code, unreachable_pub)] // each test uses a part of it

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use doorward::{Algorithm, SignatureCheck};
use doorward_doctor::effects::{Effect, EffectResult, Stream};
use doorward_doctor::functions::Native;
use doorward_doctor::program::{Input, Program, Step};

/// What a command finds.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub files: BTreeMap<String, String>,
    pub env: BTreeMap<String, String>,
    pub now_millis: i64,
}

/// Whether a signature holds, as the native carrier finds out.
fn checked(algorithm: &str, key: String, input: Vec<u8>, signature: Vec<u8>) -> EffectResult {
    let Some(algorithm) = Algorithm::from_name(algorithm) else { return EffectResult::Absent };
    let check = SignatureCheck {
        scheme: algorithm.scheme(),
        key: key.into(),
        thumbprint: String::new().into(),
        signing_input: input,
        signature,
    };
    match doorward_native::check_signature(&check) {
        Ok(holds) => EffectResult::Checked { holds },
        Err(_) => EffectResult::Absent,
    }
}

/// What came of a command.
#[derive(Debug, Default)]
pub struct Played {
    pub exit: u8,
    pub out: String,
    pub err: String,
    pub written: BTreeMap<String, String>,
    /// The effects that go beyond files and variables.
    pub others: Vec<String>,
}

impl World {
    pub fn play(&self, args: &[&str]) -> Played {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let input = Input { args, out_is_terminal: false, err_is_terminal: false };
        let mut program = Program::new(input, Rc::new(Native));
        let mut played = Played::default();
        let mut step = program.start();
        loop {
            match step {
                Step::Exit(code) => {
                    played.exit = code.number();
                    return played;
                }
                Step::Perform(effect) => step = program.resume(self.perform(effect, &mut played)),
            }
        }
    }

    fn perform(&self, effect: Effect, played: &mut Played) -> EffectResult {
        match effect {
            Effect::Read { path, max_bytes } => match self.files.get(path.trim_start_matches("./"))
            {
                Some(text) if text.len() > max_bytes => {
                    EffectResult::Failed { message: "it is too long".to_owned() }
                }
                Some(text) => EffectResult::Bytes { bytes: text.clone().into_bytes() },
                None => EffectResult::Absent,
            },
            Effect::List { dir } => self.list(&dir),
            Effect::Env { name } => match self.env.get(&name) {
                Some(text) => EffectResult::Text { text: text.clone() },
                None => EffectResult::Absent,
            },
            Effect::EnvNames => EffectResult::Names { names: self.env.keys().cloned().collect() },
            Effect::LoadFunctions => EffectResult::Done,
            Effect::CheckSignature { algorithm, key, message, signature } => {
                checked(&algorithm, key, message, signature)
            }
            Effect::Now => EffectResult::Time { millis: self.now_millis },
            Effect::Print { stream, text } => {
                match stream {
                    Stream::Out => played.out.push_str(&text),
                    Stream::Err => played.err.push_str(&text),
                }
                EffectResult::Done
            }
            Effect::Write { path, text, .. } => {
                played.written.insert(path, text);
                EffectResult::Done
            }
            other => {
                let name = serde_json::to_value(&other).unwrap_or_default();
                played.others.push(
                    name.get("effect")
                        .and_then(|name| name.as_str())
                        .unwrap_or_default()
                        .to_owned(),
                );
                EffectResult::Absent
            }
        }
    }

    fn list(&self, dir: &str) -> EffectResult {
        let prefix = match dir.trim_start_matches("./") {
            "." | "" => String::new(),
            dir => format!("{dir}/"),
        };
        let inner = self.files.keys().filter_map(|path| path.strip_prefix(&prefix));
        let names: BTreeSet<String> = inner
            .map(|path| match path.split_once('/') {
                Some((folder, _)) => format!("{folder}/"),
                None => path.to_owned(),
            })
            .collect();
        if names.is_empty() && !prefix.is_empty() {
            return EffectResult::Absent;
        }
        EffectResult::Names { names: names.into_iter().collect() }
    }
}
