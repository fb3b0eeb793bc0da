//! What commands have computed: the gate's engine is linked in, and so are expressions of JavaScript.

use doorward_doctor::functions::Functions;

pub(crate) struct Native;

impl Functions for Native {
    fn inspect(&self, question: &str) -> String {
        doorward::inspect(question)
    }

    fn matches(&self, expression: &str, text: &str) -> Option<bool> {
        Some(regress::Regex::new(expression).ok()?.find(text).is_some())
    }

    fn suffixes(&self) -> String {
        include_str!("../../doctor/src/suffixes.txt").to_owned()
    }
}
