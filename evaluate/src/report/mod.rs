//! A finished evaluation for people and machines: one HTML file, CSV tables, text.
//!
//! | module | what |
//! |---|---|
//! | [`number`] | numbers as people read them |
//! | [`csv`] | tables for other programs |
//! | [`compare`] | two reports side by side |
//! | [`page()`] | the HTML page: the answer first, formula and constants on demand |
//! | [`head()`] | what every page begins with |
//! | `axis`, `bars`, `lines` | pictures of the page, drawn here: HTML bars and inline SVG |

mod axis;
mod bars;
pub mod compare;
pub mod csv;
mod head;
mod lines;
pub mod number;
mod page;

pub use head::head;
pub use page::page;
