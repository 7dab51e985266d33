//! Output files: written beside and renamed, so that a reader never sees half of one and a failure keeps what was there.

use std::fs;
use std::io::Write;
use std::path::Path;

/// Writes `bytes` to `path`, all or nothing.
///
/// # Errors
/// The system's error; the file at `path` is then as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if path.exists() && !path.is_file() {
        // Renaming over a device or a folder would destroy it.
        return Err(std::io::Error::other("it is there and is no ordinary file"));
    }
    let name = path.file_name().ok_or_else(|| std::io::Error::other("the path names no file"))?;
    let part = path.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
    let written = fs::File::create(&part)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // The first error is the one to report; the part file may not even exist.
        let _ = fs::remove_file(&part);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_keeps_the_old_file_and_leaves_no_part() {
        let folder = std::env::temp_dir().join(format!("basisn-file-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.txt");
        write_whole(&path, b"first").unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        // A folder in the way of the final rename.
        fs::create_dir_all(folder.join("b.txt/x")).unwrap();
        assert!(write_whole(&folder.join("b.txt"), b"third").is_err());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        assert!(write_whole(Path::new("/dev/null"), b"x").is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
