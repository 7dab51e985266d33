//! Settings in TOML: the text of a preset or of a file, and its table, with what is wrong where.

use std::borrow::Cow;

use toml::Table;

/// Why settings are refused; every kind of settings has its own words before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// File, and line or key.
    pub at: String,
    /// What is wrong.
    pub cause: String,
    /// What to change.
    pub fix: String,
}

impl Refusal {
    /// From its three parts.
    pub fn new(at: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Refusal { at: at.into(), cause: cause.into(), fix: fix.into() }
    }
}

/// Built-in settings of one kind.
#[derive(Debug)]
pub struct Presets {
    /// Folder of their files in the repository.
    pub folder: &'static str,
    /// Name and text of each.
    pub texts: &'static [(&'static str, &'static str)],
}

impl Presets {
    /// Names, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.texts.iter().map(|(name, _)| *name)
    }

    /// The text of a preset and the path that names it in errors.
    pub fn get(&self, name: &str) -> Option<(&'static str, String)> {
        let (name, text) = self.texts.iter().find(|(known, _)| *known == name)?;
        Some((text, format!("{}/{name}.toml", self.folder)))
    }

    /// The text of a preset or of a file, and the path that names it in errors.
    ///
    /// # Errors
    /// There is no such preset or readable file.
    pub fn text(&self, name_or_path: &str) -> Result<(Cow<'static, str>, String), Refusal> {
        if let Some((text, at)) = self.get(name_or_path) {
            return Ok((text.into(), at));
        }
        let text = std::fs::read_to_string(name_or_path).map_err(|e| {
            let names: Vec<_> = self.names().collect();
            let fix = format!("name a TOML file, or one of the presets {}", names.join(", "));
            Refusal::new(name_or_path, format!("no preset of this name, and no readable file: {e}"), fix)
        })?;
        Ok((text.into(), name_or_path.to_string()))
    }
}

/// The table of a text; `at` names it in errors.
///
/// # Errors
/// It is not TOML; `at` is the line.
pub fn table(text: &str, at: &str) -> Result<Table, Refusal> {
    text.parse().map_err(|e: toml::de::Error| {
        let line = e.span().map_or(1, |s| text[..s.start.min(text.len())].lines().count().max(1));
        Refusal::new(format!("{at}, line {line}"), e.message(), "correct the TOML syntax")
    })
}

/// The known key that has the last word of an unknown one: probably it stands in the wrong section.
pub fn near(key: &str, known: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    fn word(key: &str) -> &str {
        key.rsplit('.').next().unwrap_or("")
    }
    known.into_iter().find(|k| *k != key && word(k) == word(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLORS: Presets = Presets { folder: "presets/color", texts: &[("red", "r = 1"), ("blue", "b = 1")] };

    #[test]
    fn presets_go_before_files_and_neither_is_told_with_the_names() {
        assert_eq!(COLORS.text("blue"), Ok(("b = 1".into(), "presets/color/blue.toml".to_string())));
        let Refusal { at, cause, fix } = COLORS.text("green").unwrap_err();
        assert!(at == "green" && cause.starts_with("no preset of this name, and no readable file: "), "{at} {cause}");
        assert_eq!(fix, "name a TOML file, or one of the presets red, blue");
    }

    #[test]
    fn what_is_not_toml_is_told_with_its_line() {
        assert_eq!(table("a = 1\n[b]\nc = \n", "x.toml").unwrap_err().at, "x.toml, line 3");
        assert_eq!(table("a = 1", "x.toml").unwrap().len(), 1);
    }

    #[test]
    fn a_key_in_the_wrong_section_is_near_the_right_one() {
        assert_eq!(near("adc.rows", ["crossbar.columns", "crossbar.rows"]), Some("crossbar.rows"));
        assert_eq!(near("crossbar.rows", ["crossbar.rows"]), None);
    }
}
