//! Verilog sources: a file, or a name with a text.

use crate::{Error, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A Verilog source: a file by its path, or generated text with a file name.
///
/// Names ending in `.vh` and `.svh` are there to be included and are not compiled by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file; its name without folders counts.
    File(PathBuf),
    /// A text with the file name that messages shall show.
    Text {
        /// File name without folders, such as `lane.v`.
        name: String,
        /// The Verilog text.
        text: String,
    },
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Source::File(path)
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Source::File(path.to_path_buf())
    }
}

impl<N: Into<String>, T: Into<String>> From<(N, T)> for Source {
    fn from((name, text): (N, T)) -> Self {
        Source::Text { name: name.into(), text: text.into() }
    }
}

/// A source in memory under the name that it gets in the build folder.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub name: String,
    pub text: String,
}

impl Loaded {
    /// Whether Verilator compiles it, rather than includes it.
    pub fn is_compiled(&self) -> bool {
        !(self.name.ends_with(".vh") || self.name.ends_with(".svh"))
    }
}

/// Reads all sources; names must differ, as all lie in one folder.
pub(crate) fn load(sources: &[Source]) -> Result<Vec<Loaded>> {
    let mut names = BTreeSet::new();
    sources
        .iter()
        .map(|source| {
            let loaded = match source {
                Source::Text { name, text } => Loaded { name: name.clone(), text: text.clone() },
                Source::File(path) => read(path)?,
            };
            let refuse = |cause: &str, fix| Error::Source { at: loaded.name.clone(), cause: cause.to_string(), fix };
            if Path::new(&loaded.name).file_name().and_then(|name| name.to_str()) != Some(&loaded.name)
                || loaded.name.starts_with(['-', '+'])
            {
                return Err(refuse("this is not a plain file name", "name the source like a file, such as lane.v"));
            }
            if !names.insert(loaded.name.clone()) {
                return Err(refuse("two sources have this name", "rename one of them, or give it once"));
            }
            Ok(loaded)
        })
        .collect()
}

fn read(path: &Path) -> Result<Loaded> {
    let at = path.display().to_string();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_else(|| at.clone());
    let text = std::fs::read_to_string(path).map_err(|error| Error::Source {
        at,
        cause: error.to_string(),
        fix: "check the path and its permissions",
    })?;
    Ok(Loaded { name, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_must_be_plain_and_differ() {
        for name in ["a/b.v", "", "..", "-f"] {
            let error = load(&[(name, "").into()]).unwrap_err();
            assert!(error.to_string().contains("not a plain file name"), "{error}");
        }
        let error = load(&[("a.v", "").into(), ("a.v", "").into()]).unwrap_err();
        assert!(error.to_string().contains("two sources have this name"), "{error}");
        let error = load(&[Path::new("/nonexistent/a.v").into()]).unwrap_err();
        assert!(matches!(error, Error::Source { at, .. } if at == "/nonexistent/a.v"));
    }
}
