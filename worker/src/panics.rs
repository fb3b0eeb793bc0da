//! What a panic says. The request that it happens in is answered by the JavaScript around this
//! crate.

use std::sync::Once;

#[cfg(feature = "plant-trap")]
use doorward_host::LendHead as _;

use crate::head::Head;

/// Makes panics of this instance speak, once.
pub(crate) fn report() {
    static HOOK: Once = Once::new();
    HOOK.call_once(set_hook);
}

#[cfg(debug_assertions)]
fn set_hook() {
    console_error_panic_hook::set_once();
}

/// The place and never the message: a dependency's message may carry what a client has sent.
#[cfg(not(debug_assertions))]
fn set_hook() {
    std::panic::set_hook(Box::new(|panic| match panic.location() {
        Some(place) => {
            worker::console_error!(
                r#"{{"event":"crash","gate":"doorward","problem":"panicked at {}:{}"}}"#,
                place.file(),
                place.line()
            )
        }
        None => {
            worker::console_error!(r#"{{"event":"crash","gate":"doorward","problem":"panicked"}}"#)
        }
    }));
}

/// Falls if the request asks for it: the tests of this host see what becomes of the others.
#[cfg(feature = "plant-trap")]
#[allow(clippy::panic, unconditional_recursion)] // this is what the feature is for
pub(crate) fn plant(head: &Head) {
    fn descend(depth: u64) -> u64 {
        let frame = std::hint::black_box([depth; 64]);
        descend(std::hint::black_box(frame.iter().sum())).wrapping_add(1)
    }
    head.lend(|head| match head.header("x-plant-trap") {
        Some("panic") => panic!("planted, with {} headers", head.headers.len()),
        Some("stack") => drop(std::hint::black_box(descend(1))),
        _ => {}
    });
}

#[cfg(not(feature = "plant-trap"))]
pub(crate) fn plant(_: &Head) {}
