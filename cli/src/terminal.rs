//! Standard streams and the terminal.

use std::io::{IsTerminal as _, Write as _};

use doorward_doctor::effects::{EffectResult, Stream};

/// Writes; `anstream` leaves colours out where the terminal has none.
pub(crate) fn print(stream: Stream, text: &str) -> EffectResult {
    let written = match stream {
        Stream::Out => {
            let mut out = anstream::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        }
        Stream::Err => {
            let mut out = anstream::stderr().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        }
    };
    // Whoever reads has gone (`| head`): there is nobody to tell.
    let _ = written;
    EffectResult::Done
}

/// Asks, where there is a terminal.
pub(crate) fn prompt(text: &str, secret: bool) -> EffectResult {
    if !std::io::stdin().is_terminal() {
        return EffectResult::Absent;
    }
    let typed = if secret {
        rpassword::prompt_password(text)
    } else {
        print(Stream::Err, text);
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    };
    typed.map_or(EffectResult::Absent, |line| EffectResult::Text {
        text: line.trim_end_matches(['\r', '\n']).to_owned(),
    })
}
