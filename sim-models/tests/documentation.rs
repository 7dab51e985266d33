//! The table of keys in `docs/macro-models.md` is that of the configuration. `BASISN_WRITE_DOCS=1` writes it.
#![allow(clippy::unwrap_used)]

use basisn_models::rram::MacroModel;

#[test]
fn the_page_lists_every_key() {
    let path = format!("{}/../docs/macro-models.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(&path).unwrap();
    let mut table = String::from("| key | range | meaning |\n|---|---|---|\n");
    for field in MacroModel::FIELDS {
        let range = field.range.map_or(String::new(), |(low, high)| format!("{low} to {high}"));
        table.push_str(&format!("| `{}` | {range} | {} |\n", field.key, field.meaning));
    }
    let (start, end) = ("<!-- keys -->\n", "<!-- end of keys -->");
    let (before, rest) = page.split_once(start).unwrap();
    let (shown, after) = rest.split_once(end).unwrap();
    if std::env::var_os("BASISN_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{start}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(shown, table);
    }
}
