//! The command line as WebAssembly: effects go out as JSON, results come in as JSON. Node performs
//! them (`middleware/bin/doorward.mjs`).

use std::rc::Rc;

use doorward_doctor::effects::EffectResult;
use doorward_doctor::functions::Functions;
use doorward_doctor::program::{Input, Program, Step};
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// An object with what JavaScript computes: the gate's own module, and `RegExp`.
    pub type Computer;

    #[wasm_bindgen(method)]
    fn inspect(this: &Computer, question: &str) -> String;

    #[wasm_bindgen(method)]
    fn matches(this: &Computer, expression: &str, text: &str) -> Option<bool>;

    #[wasm_bindgen(method)]
    fn suffixes(this: &Computer) -> String;
}

struct OfJavaScript(Computer);

impl Functions for OfJavaScript {
    fn inspect(&self, question: &str) -> String {
        self.0.inspect(question)
    }

    fn matches(&self, expression: &str, text: &str) -> Option<bool> {
        self.0.matches(expression, text)
    }

    fn suffixes(&self) -> String {
        self.0.suffixes()
    }
}

/// A command that is being played.
#[wasm_bindgen]
#[allow(missing_debug_implementations)] // lives behind the border, where nobody can print it
pub struct Doorward {
    program: Program,
}

#[wasm_bindgen]
impl Doorward {
    /// Starts a command. `input` is JSON: the words of the command line, and what is a terminal.
    #[wasm_bindgen(constructor)]
    pub fn new(input: &str, computer: Computer) -> Self {
        let input = serde_json::from_str::<Input>(input).unwrap_or_default();
        Self { program: Program::new(input, Rc::new(OfJavaScript(computer))) }
    }

    /// The first step, as JSON: an effect, or `{"exit": 0}`.
    pub fn start(&mut self) -> String {
        step(&self.program.start())
    }

    /// The next step, after an effect was performed.
    pub fn resume(&mut self, result: &str) -> String {
        let result = EffectResult::read(result)
            .unwrap_or_else(|wrong| EffectResult::Failed { message: wrong.to_owned() });
        step(&self.program.resume(result))
    }
}

fn step(step: &Step) -> String {
    match step {
        Step::Perform(effect) => serde_json::to_string(effect).unwrap_or_default(),
        Step::Exit(code) => ["{\"exit\":", &code.number().to_string(), "}"].concat(),
    }
}
