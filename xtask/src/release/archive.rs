//! Archives that have the same bytes each time, and checksums.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder, read::GzDecoder};
use sha2::{Digest as _, Sha256};

use super::folder::unwritten;
use crate::shell::{Failure, Result};

/// Writes a `.tar.gz`: entries in the order of their names, owner and group 0, that one time, and
/// gzip's own time and file name left out.
///
/// `files` are paths inside the archive, the file of each, and whether it is a program.
pub(super) fn write(to: &Path, files: &[(String, PathBuf, bool)], seconds: u64) -> Result {
    let mut files = files.to_vec();
    files.sort();
    let file = File::create(to).map_err(|error| unwritten(to, &error))?;
    let gzip = GzBuilder::new().write(file, Compression::best());
    let mut tar = tar::Builder::new(gzip);
    for (name, from, is_program) in &files {
        let bytes = read(from)?;
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(bytes.len()).unwrap_or_default());
        header.set_mode(if *is_program { 0o755 } else { 0o644 });
        header.set_mtime(seconds);
        tar.append_data(&mut header, name, bytes.as_slice())
            .map_err(|error| unwritten(to, &error))?;
    }
    let done = tar.into_inner().and_then(flate2::write::GzEncoder::finish);
    done.and_then(|mut file| file.flush()).map_err(|error| unwritten(to, &error))
}

/// Unpacks a `.tar.gz` (or `.tgz`, or `.crate`) into that folder.
pub(super) fn unpack(archive: &Path, into: &Path) -> Result {
    let bytes = read(archive)?;
    tar::Archive::new(GzDecoder::new(bytes.as_slice()))
        .unpack(into)
        .map_err(|error| Failure::new(format!("{} cannot be unpacked: {error}", archive.display())))
}

/// Every file below a folder, with its path from there, in the order of these.
pub(super) fn files_below(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), folder.to_path_buf())];
    while let Some((prefix, folder)) = waiting.pop() {
        let entries = fs::read_dir(&folder)
            .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
        for entry in entries.flatten() {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.path().is_dir() {
                true => waiting.push((format!("{name}/"), entry.path())),
                false => found.push((name, entry.path())),
            }
        }
    }
    found.sort();
    Ok(found)
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", file.display())))?;
    Ok(bytes)
}

/// `SHA256SUMS`, as `sha256sum --check` reads it.
pub(super) fn write_checksums(folder: &Path, files: &[PathBuf]) -> Result {
    let mut text = String::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let digest = Sha256::digest(read(file)?);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        text.push_str(&format!("{hex}  {name}\n"));
    }
    let to = folder.join("SHA256SUMS");
    fs::write(&to, text).map_err(|error| unwritten(&to, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_the_same_bytes_whatever_the_order_and_mode_of_its_files() {
        let folder = std::env::temp_dir().join(format!("doorward-archive-{}", std::process::id()));
        let _ = fs::create_dir_all(&folder);
        let file = |name: &str, text: &str| {
            let file = folder.join(name);
            assert!(fs::write(&file, text).is_ok(), "{name}");
            file
        };
        let entries = [
            ("b/run".to_owned(), file("run", "echo"), true),
            ("a.txt".to_owned(), file("a.txt", "text"), false),
        ];
        let reversed: Vec<_> = entries.iter().rev().cloned().collect();
        let [one, other] = ["one.tgz", "other.tgz"].map(|name| folder.join(name));
        assert!(write(&one, &entries, 7).is_ok() && write(&other, &reversed, 7).is_ok());
        let bytes = fs::read(&one).unwrap_or_default();
        assert!(!bytes.is_empty());
        assert_eq!(bytes, fs::read(&other).unwrap_or_default());
        assert!(unpack(&one, &folder.join("unpacked")).is_ok());
        assert_eq!(fs::read(folder.join("unpacked/b/run")).ok().as_deref(), Some(&b"echo"[..]));
        let _ = fs::remove_dir_all(&folder);
    }
}
