//! The cache: folders named by a hash of everything that went into them, complete or absent.

use crate::{Error, Result};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Hash over fields; each field's length goes in too, so that no two lists of fields look alike.
#[derive(Debug, Default, Clone)]
pub(crate) struct Key(Sha256);

impl Key {
    pub fn add(mut self, field: impl AsRef<[u8]>) -> Self {
        let field = field.as_ref();
        self.0.update((field.len() as u64).to_le_bytes());
        self.0.update(field);
        self
    }

    pub fn add_all<T: AsRef<[u8]>>(self, fields: impl IntoIterator<Item = T>) -> Self {
        fields.into_iter().fold(self.add("list"), |key, field| key.add(field)).add("end")
    }

    pub fn hex(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// `BASISN_CACHE`, else `basisn/verilated` in the user's cache folder.
pub(crate) fn default_folder() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("BASISN_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?.join("basisn/verilated")))
        .ok_or_else(|| Error::cache(Path::new("~/.cache/basisn/verilated"), &"HOME is not set"))
}

/// The folder `name` in the cache, and whether it was there before; `make` fills it when it was not.
///
/// It is filled beside its place and renamed, so an interrupted or failed `make` leaves no entry. A lock makes others
/// who want the same entry wait instead of building it again.
pub(crate) fn entry(cache: &Path, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<(PathBuf, bool)> {
    let path = cache.join(name);
    if path.is_dir() {
        return Ok((path, true));
    }
    fs::create_dir_all(cache).map_err(|error| Error::cache(cache, &error))?;
    let lock_path = cache.join(format!(".{name}.lock"));
    let lock = File::create(&lock_path).map_err(|error| Error::cache(&lock_path, &error))?;
    // Where the file system knows no locks the rename alone keeps the entry whole.
    let locked = lock.lock().is_ok();
    if path.is_dir() {
        return Ok((path, true));
    }
    let prefix = format!(".building-{name}-");
    if locked {
        remove_interrupted(cache, &prefix);
    }
    let building = tempfile::Builder::new().prefix(&prefix).tempdir_in(cache);
    let building = building.map_err(|error| Error::cache(cache, &error))?;
    make(building.path())?;
    match fs::rename(building.path(), &path) {
        Err(error) if !path.is_dir() => Err(Error::cache(&path, &error)),
        _ => Ok((path, false)),
    }
}

/// Removes what builds of this entry left that were ended from outside. The entry's lock must be held: then nobody is building it.
fn remove_interrupted(cache: &Path, prefix: &str) {
    for file in fs::read_dir(cache).into_iter().flatten().flatten() {
        if file.file_name().to_string_lossy().starts_with(prefix) {
            // What cannot be removed takes room, and nothing else.
            let _ = fs::remove_dir_all(file.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_make_leaves_no_entry_and_a_good_one_is_kept() {
        let cache = tempfile::tempdir().unwrap();
        let failed = entry(cache.path(), "m", |folder| {
            fs::write(folder.join("half"), "").unwrap();
            Err(Error::cache(folder, &"interrupted"))
        });
        assert!(failed.is_err());
        assert!(!cache.path().join("m").exists());
        for name in [".building-m-ended", ".building-other-running"] {
            fs::create_dir(cache.path().join(name)).unwrap();
        }
        let (path, cached) = entry(cache.path(), "m", |folder| {
            fs::write(folder.join("whole"), "").unwrap();
            Ok(())
        })
        .unwrap();
        assert!(!cached && path.join("whole").is_file());
        assert!(entry(cache.path(), "m", |_| unreachable!()).unwrap().1);
        let left = fs::read_dir(cache.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let building: Vec<_> = left.filter(|name| name.starts_with(".building-")).collect();
        assert_eq!(
            building,
            [".building-other-running"],
            "leftovers of this entry are removed, other entries stay alone"
        );
    }

    #[test]
    fn the_borders_of_fields_count() {
        assert_ne!(Key::default().add("ab").add("c").hex(), Key::default().add("a").add("bc").hex());
        assert_ne!(Key::default().add_all(["a"]).add_all(["b"]).hex(), Key::default().add_all(["a", "b"]).hex());
    }
}
