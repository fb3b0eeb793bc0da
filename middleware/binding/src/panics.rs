//! What a panic says: in release builds its place and nothing else, because a dependency's message
//! may quote its input.

use std::sync::Once;

static INSTALLED: Once = Once::new();

/// Installs the panic hook, the first time it is called.
pub(crate) fn install() {
    INSTALLED.call_once(|| {
        #[cfg(debug_assertions)]
        console_error_panic_hook::set_once();
        #[cfg(not(debug_assertions))]
        std::panic::set_hook(Box::new(|panic| say_place(panic.location())));
    });
}

#[cfg(not(debug_assertions))]
fn say_place(place: Option<&std::panic::Location<'_>>) {
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = console, js_name = error)]
        fn console_error(line: &str);
    }

    match place {
        Some(place) => console_error(&format!(
            r#"{{"event":"crash","gate":"doorward","problem":"panicked at {}:{}"}}"#,
            place.file(),
            place.line()
        )),
        None => console_error(r#"{"event":"crash","gate":"doorward","problem":"panicked"}"#),
    }
}
