//! Hostile program images: the corpus, and what proptest makes of it. Each is an error that says at, cause and fix, or a sound program; none panics.
//!
//! A file that once did harm goes into `arch/tests/corpus`; proptest keeps the seeds of its own finds in `arch/tests/hostile.proptest-regressions`.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::path::Path;
use std::sync::LazyLock;

use basisn_arch::{ChipConfig, Program};
use proptest::prelude::*;

static CORPUS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
});

/// Reads and checks; an error must have all its parts.
fn is_sound(bytes: &[u8]) -> bool {
    let config = ChipConfig::load("tiny").unwrap();
    match Program::from_bytes(bytes).and_then(|program| program.check(&config)) {
        Ok(()) => true,
        Err(error) => {
            let text = error.to_string();
            assert!(["\n  at:    ", "\n  cause: ", "\n  fix:   "].iter().all(|part| text.contains(part)), "{text}");
            false
        }
    }
}

#[test]
fn the_corpus_is_refused_but_for_the_sound_file() {
    assert!(CORPUS.len() > 20);
    for (name, bytes) in CORPUS.iter() {
        assert_eq!(is_sound(bytes), name == "sound", "{name}");
    }
}

/// One change of an image.
#[derive(Clone, Debug)]
enum Change {
    /// Another byte at a place.
    Byte(prop::sample::Index, u8),
    /// Another text for a number of the header, whose length follows.
    Number(prop::sample::Index, &'static str),
    /// Nothing from a place on.
    Cut(prop::sample::Index),
    /// A part once more.
    Repeat(prop::sample::Index, prop::sample::Index),
}

/// What numbers of the header become.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "8",
    "255",
    "65536",
    "65537",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "1e308",
    "0.5",
    "null",
    "[]",
    "true",
    "\"a\"",
];

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        8 => (any::<prop::sample::Index>(), prop::sample::select(NUMBERS)).prop_map(|(at, text)| Change::Number(at, text)),
        1 => any::<prop::sample::Index>().prop_map(Change::Cut),
        1 => (any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(a, b)| Change::Repeat(a, b)),
    ]
}

fn apply(change: &Change, image: &mut Vec<u8>) {
    if image.is_empty() {
        return;
    }
    match change {
        Change::Byte(at, byte) => *at.get_mut(image) = *byte,
        Change::Cut(at) => image.truncate(at.index(image.len())),
        Change::Repeat(a, b) => {
            let (from, to) = (a.index(image.len()), b.index(image.len()));
            image.extend_from_within(from.min(to)..from.max(to));
        }
        Change::Number(at, text) => {
            let length = image.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            let end = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(8).min(image.len());
            let starts: Vec<usize> =
                (8..end).filter(|&i| image[i].is_ascii_digit() && !image[i - 1].is_ascii_digit()).collect();
            if !starts.is_empty() {
                let start = *at.get(&starts);
                let digits = image[start..end].iter().take_while(|b| b.is_ascii_digit()).count();
                image.splice(start..start + digits, text.bytes());
                let length = length.wrapping_sub(digits as u64).wrapping_add(text.len() as u64);
                image[..8].copy_from_slice(&length.to_le_bytes());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn changed_images_never_panic(file in any::<prop::sample::Index>(), changes in prop::collection::vec(change(), 1..6)) {
        // The sound file in half of the cases: from it more paths can be reached.
        let file = file.index(2 * CORPUS.len());
        let (_, image) = CORPUS.get(file).unwrap_or_else(|| CORPUS.iter().find(|(name, _)| name == "sound").unwrap());
        let mut image = image.clone();
        changes.iter().for_each(|change| apply(change, &mut image));
        is_sound(&image);
    }
}
