//! What was found, as text, JSON or Markdown.

pub(crate) mod json;
pub(crate) mod labels;
pub(crate) mod markdown;
pub(crate) mod phases;
pub(crate) mod text;
pub(crate) mod wrap;
