//! Files and directories.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};

use doorward_doctor::effects::EffectResult;

pub(crate) fn read(path: &str, max_bytes: usize) -> EffectResult {
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    // One byte more than is allowed is enough to know.
    let read = if path == "-" {
        io::stdin().lock().take(limit.saturating_add(1)).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
    };
    match read {
        Ok(_) if bytes.len() > max_bytes => {
            EffectResult::Failed { message: format!("it is longer than {max_bytes} bytes") }
        }
        Ok(_) => EffectResult::Bytes { bytes },
        Err(error) => failed(&error),
    }
}

pub(crate) fn list(dir: &str) -> EffectResult {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => return failed(&error),
    };
    let names = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        let is_dir = fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
        Some(if is_dir { name + "/" } else { name })
    });
    EffectResult::Names { names: names.collect() }
}

pub(crate) fn write(path: &str, text: &str, private: bool) -> EffectResult {
    if let Some(folder) = std::path::Path::new(path).parent()
        && let Err(error) = fs::create_dir_all(folder)
    {
        return failed(&error);
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    match options.open(path).and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => EffectResult::Done,
        Err(error) => failed(&error),
    }
}

/// In words that are the same from each carrier.
fn failed(error: &io::Error) -> EffectResult {
    let message = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => return EffectResult::Absent,
        ErrorKind::PermissionDenied => "permission is denied",
        ErrorKind::IsADirectory => "it is a directory",
        _ => "it cannot be used",
    };
    EffectResult::Failed { message: message.to_owned() }
}
