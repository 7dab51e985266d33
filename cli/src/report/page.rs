//! The report as one HTML file without anything from elsewhere.

use basisn_arch::{Program, Slot};
use basisn_evaluate::report::head;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Figures, LayerFigures, picture};

const STYLE: &str = "
:root{color-scheme:light dark;--fg:#1c2430;--bg:#fff;--dim:#667085;--line:#d6dbe3;--a:#1f5fbf;--b:#d9772b;--soft:#eef1f5}
@media(prefers-color-scheme:dark){:root{--fg:#e6e9ef;--bg:#14181f;--dim:#98a2b3;--line:#313845;--a:#6aa5ff;--b:#f0a060;--soft:#1e242e}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);margin:0 auto;max-width:62rem;padding:1.5rem}
h1{font-size:1.6rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2rem 0 .4rem}p{margin:.4rem 0}.dim{color:var(--dim)}
.tiles{display:grid;grid-template-columns:repeat(3,1fr);gap:.8rem;margin:1.2rem 0}
.tiles div{background:var(--soft);border-radius:.5rem;padding:.7rem .9rem}.tiles b{display:block;font-size:1.45rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}th:first-child,td:first-child{text-align:left}
.bar{display:grid;grid-template-columns:5rem 1fr 15rem;gap:.6rem;align-items:center;margin:.25rem 0}
.bar i{display:block;height:1.1rem;background:var(--soft);border-radius:.2rem;overflow:hidden}
.bar i span{display:block;height:100%;float:left;background:var(--a)}.bar i span+span{background:var(--b)}
svg{display:block;width:100%}.cells{max-width:26rem;border:1px solid var(--line)}.plus{fill:var(--a)}.minus{fill:var(--b)}
.ground{fill:var(--soft)}
.slot{display:grid;grid-template-columns:1fr 13rem;gap:.8rem;line-height:1.5rem}.slot svg{height:100%}.slot div{white-space:nowrap}
.key:before{content:'';display:inline-block;width:.8em;height:.8em;margin:0 .35em 0 .8em;background:var(--k)}
@media(max-width:40rem){.tiles{grid-template-columns:1fr 1fr}.slot{grid-template-columns:1fr 9rem;font-size:.75rem}.bar{grid-template-columns:4rem 1fr}.bar em{grid-column:2}}
";

/// The page.
pub fn page(figures: &Figures, program: &Program) -> String {
    let equal = figures.mismatches == 0;
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&format!("BasisN: {}", figures.network), STYLE))
            body {
                p.dim { "BasisN demonstration: " (figures.network) " on chip " (figures.config) }
                h1 {
                    @if equal { "RTL equals the golden reference, bit for bit" }
                    @else { (figures.mismatches) " values differ between RTL and the golden reference" }
                }
                p { (figures.values_compared) " values of " (figures.layers_compared) " layers and " (figures.images_rtl)
                    " images compared, " (figures.mismatches) " mismatches." }
                div.tiles {
                    (tile(&percent(figures.float_accuracy), "float accuracy, all held-out images"))
                    (tile(&percent(figures.golden_accuracy), &format!("golden accuracy, all {} held-out images", figures.images_held_out)))
                    (tile(&percent(figures.rtl_accuracy), &format!("RTL accuracy, {} images", figures.images_rtl)))
                    (tile(&figures.cycles_per_inference.to_string(), "clock cycles an inference"))
                    (tile(&format!("{:.1} dB", figures.snr_db), "signal to noise of the fitted weights"))
                    (tile(&format!("{} / {}", figures.slots, figures.slots_lower_bound), "slots / lower bound"))
                }
                h2 { "Trained to share slots" }
                div.scroll { (networks(figures)) }
                h2 { "Cycles a layer" }
                p.dim { span.key style="--k:var(--a)" { "cycles with a read" } span.key style="--k:var(--b)" { "cycles without" } }
                @let longest = figures.layers.iter().map(|l| l.cycles).max().unwrap_or(1);
                @for layer in &figures.layers { (bar(layer, longest)) }
                h2 { "Layers" }
                div.scroll { (table(figures)) }
                h2 { "The basis" }
                p { "Written into every crossbar once; the columns are the basis vectors, shared by all layers."
                    span.key style="--k:var(--a)" { "+" } span.key style="--k:var(--b)" { "−" } }
                @for levels in program.basis.iter().take(1) {
                    (PreEscaped(picture::basis(levels, program.geometry.rows, program.geometry.columns)))
                }
                @if let Some((place, slot)) = busiest(program) {
                    h2 { "One slot" }
                    p { "Switch setting of " (place) ": which columns are on which ADC lane, and their polarity." }
                    div.slot {
                        (PreEscaped(picture::switches(slot)))
                        div { @for lane in picture::lanes(slot) { div { (lane) } } }
                    }
                }
                p.dim { "Reading: a slot is one setting of the switches of a crossbar; every slot is read once for each position and input plane."
                    " Writing the basis took " (figures.program_cycles) " cycles, once." }
            }
        }
    }
    .into_string()
}

fn tile(value: &str, what: &str) -> Markup {
    html! { div { b { (value) } span.dim { (what) } } }
}

fn bar(layer: &LayerFigures, longest: u64) -> Markup {
    let share = |part: f64| format!("width:{:.2}%", 100.0 * part * layer.cycles as f64 / longest.max(1) as f64);
    html! {
        div.bar {
            span { (layer.name) }
            i { span style=(share(layer.issued)) {} span style=(share(1.0 - layer.issued)) {} }
            em.dim { (layer.cycles) " cycles, " (format!("{:.1}%", 100.0 * layer.issued)) " reads" }
        }
    }
}

/// The network with and without training.
fn networks(f: &Figures) -> Markup {
    let d = &f.dense;
    html! {
        table {
            tr { @for head in ["coefficients", "golden accuracy", "slots a subvector", "reads an inference", "cycles an inference"] { th { (head) } } }
            tr {
                td { "fitted to the float weights" } td { (percent(d.golden_accuracy)) } td { (format!("{:.2}", d.slots_per_subvector)) }
                td { (d.reads_per_inference) } td { (d.cycles_per_inference) }
            }
            tr {
                td { "trained to share slots" } td { (percent(f.golden_accuracy)) } td { (format!("{:.2}", f.slots_per_subvector)) }
                td { (f.reads_per_inference) } td { (f.cycles_per_inference) }
            }
        }
    }
}

fn table(figures: &Figures) -> Markup {
    html! {
        table {
            tr { @for head in ["layer", "positions", "kernels", "subvectors", "input bits", "gain", "slots", "lower bound", "SNR dB", "cycles",
                "wait: slots", "activations", "results", "macro", "ADC clamped"] { th { (head) } } }
            @for l in &figures.layers {
                tr {
                    td { (l.name) } td { (l.positions) } td { (l.kernels) } td { (l.subvectors) } td { (l.input_bits) } td { (l.gain) }
                    td { (l.slots) } td { (l.slots_lower_bound) } td { (format!("{:.1}", l.snr_db)) } td { (l.cycles) }
                    td { (l.wait_slots) } td { (l.wait_activations) } td { (l.wait_results) } td { (l.wait_macro) }
                    td { (format!("{:.3}%", 100.0 * l.saturated)) }
                }
            }
        }
    }
}

/// The slot with the most closed switches, and its place.
fn busiest(program: &Program) -> Option<(String, &Slot)> {
    let mut all = Vec::new();
    for layer in &program.layers {
        for (s, slots) in layer.slots.iter().enumerate() {
            for (i, tiles) in slots.iter().enumerate() {
                for (tile, slot) in tiles.iter().enumerate() {
                    all.push((format!("layer {}, subvector {s}, slot {i}, tile {tile}", layer.name), slot));
                }
            }
        }
    }
    let closed = |slot: &Slot| slot.switches.iter().filter(|s| **s != 0).count();
    // The first of the busiest, so that the picture does not depend on the order of equals.
    all.into_iter().rev().max_by_key(|(_, slot)| closed(slot))
}

fn percent(share: f64) -> String {
    format!("{:.2}%", 100.0 * share)
}
