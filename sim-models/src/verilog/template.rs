//! Texts with `@NAME@` places.

/// Values for the places of a text.
#[derive(Default)]
pub(super) struct Template {
    values: Vec<(String, String)>,
}

impl Template {
    /// Sets the value of `@name@`.
    pub fn set(&mut self, name: &str, value: impl ToString) {
        self.values.push((format!("@{name}@"), value.to_string()));
    }

    /// Sets what a vector of `bits` bits needs: `@name_BITS@`, `@name_MSB@`, and `@name_PAD@`, the bits missing to 32.
    pub fn width(&mut self, name: &str, bits: usize) {
        self.set(&format!("{name}_BITS"), bits);
        self.set(&format!("{name}_MSB"), bits - 1);
        self.set(&format!("{name}_PAD"), 32usize.saturating_sub(bits));
    }

    /// The text with its places filled.
    pub fn fill(&self, text: &str) -> String {
        self.values.iter().fold(text.to_string(), |text, (place, value)| text.replace(place, value))
    }
}
