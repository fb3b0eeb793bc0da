//! What the files of this folder share: the reader, what the host is able to do, and the document.

use super::preset::Whole;
use super::reader::Reader;
use crate::capabilities::Capabilities;

pub(super) struct Compiler<'v> {
    pub(super) reader: Reader<'v>,
    pub(super) capabilities: &'v Capabilities,
    pub(super) whole: &'v Whole,
}
