//! `manifest.json`: what a block was made from, and the hash of every file.

use std::collections::BTreeMap;

use basisn_arch::ChipConfig;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{File, TOP};

#[derive(Serialize)]
struct Manifest<'a> {
    top: &'a str,
    #[serde(rename = "macro")]
    macro_name: String,
    versions: BTreeMap<&'a str, &'a str>,
    /// Values by their key in the configuration.
    config: BTreeMap<&'a str, usize>,
    sha256: BTreeMap<&'a str, String>,
}

/// The text of the manifest of these files. It has no date, so that the same configuration gives the same bytes.
pub fn text(config: &ChipConfig, files: &[File]) -> String {
    let manifest = Manifest {
        top: TOP,
        macro_name: config.macro_name(),
        versions: [("basisn", env!("CARGO_PKG_VERSION")), ("rust-hdl", basisn_hdl::RUST_HDL_VERSION)].into(),
        config: config.entries().collect(),
        sha256: files.iter().map(|(path, text)| (path.as_str(), hash(text.as_bytes()))).collect(),
    };
    // Strings and integers always have a form in JSON.
    serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n"
}

/// SHA-256 in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Path and hash of the files of a manifest; none of a text that is no manifest.
pub fn hashes(text: &[u8]) -> Vec<(String, String)> {
    #[derive(Deserialize)]
    struct Listed {
        sha256: BTreeMap<String, String>,
    }
    let listed = serde_json::from_slice::<Listed>(text);
    let inside = |path: &String| !path.starts_with('/') && !path.split('/').any(|part| part == "..");
    listed.map(|listed| listed.sha256.into_iter().filter(|(path, _)| inside(path)).collect()).unwrap_or_default()
}
