//! The tables of `docs/results.md`.

use std::fmt::Write as _;

use basisn_evaluate::area::overhead;
use basisn_evaluate::report::number::{area, digits, energy, ratio, time};
use basisn_evaluate::reprogram::{Concessions, Options, cost};
use basisn_evaluate::{Chip, Component, Constants, basis};

use crate::networks::Evaluated;

fn table(title: &str, note: &str, head: &[String], rows: Vec<Vec<String>>) -> String {
    let mut text = format!("### {title}\n\n");
    if !note.is_empty() {
        writeln!(text, "{note}\n").unwrap();
    }
    writeln!(text, "| {} |\n|{}", head.join(" | "), "---|".repeat(head.len())).unwrap();
    for row in rows {
        writeln!(text, "| {} |", row.join(" | ")).unwrap();
    }
    text + "\n"
}

fn strings(head: &[&str]) -> Vec<String> {
    head.iter().map(|h| (*h).to_string()).collect()
}

/// All of them, one after the other.
pub fn all(constants: &Constants, chip: &Chip, all: &[Evaluated]) -> String {
    let models: Vec<_> = constants.write_models.iter().map(|m| m.name.clone()).collect();
    let head = |first: &[&str]| [strings(first), models.clone()].concat();
    let mut text = String::new();

    let rows = all.iter().map(|e| {
        let p = |crossbars| e.point(crossbars, 1);
        vec![
            e.name.into(),
            digits(e.workload.weights() as f64 * 1e-6),
            digits(e.workload.macs() as f64 * 1e-9),
            time(p(16).time_ns),
            time(p(64).time_ns),
            e.paper_ms.map_or("-".into(), |ms| format!("{} ms", digits(ms))),
            time(p(256).time_ns),
            energy(p(64).energy.total()),
            digits(p(64).against.iter().map(|a| a.cost.crossbars_to_fit.ceil()).fold(f64::INFINITY, f64::min)),
        ]
    });
    text += &table(
        "BasisN alone, batch 1",
        "The calculation on paper counted reads only: positions x planes x subvectors x slots x 100 ns on 64 crossbars.",
        &strings(&[
            "network",
            "M weights",
            "G MAC",
            "16 crossbars",
            "64 crossbars",
            "on paper",
            "256 crossbars",
            "energy, 64",
            "crossbars to fit all weights",
        ]),
        rows.collect(),
    );

    let rows = all.iter().map(|e| {
        let at = |tiles: usize| {
            // As many partial sums on the chip, whatever the split.
            let psums = chip.config.psum_words() * chip.config.tiles() / tiles;
            let split = chip.with("core.tiles", tiles).and_then(|c| c.with("core.psum_words", psums.max(32))).unwrap();
            let split = split.with_crossbars(64).unwrap();
            let typical = constants.write_model("typical").unwrap();
            let own = basis::cost(&split, &e.workload, 1, typical, constants.values());
            format!("{} / {}", time(own.time_ns), energy(own.energy.total()))
        };
        [vec![e.name.into()], [16, 8, 4, 2, 1].map(at).to_vec()].concat()
    });
    text += &table(
        "How 64 crossbars are shared among cores: time / energy, batch 1",
        "A core has its tiles work on the same positions with kernels of their own; layers with few kernels leave tiles idle. `isaac` has 8 tiles a core.",
        &strings(&["network", "16 tiles a core", "8", "4", "2", "1"]),
        rows.collect(),
    );

    for crossbars in [16, 64, 256] {
        let rows = all.iter().map(|e| {
            let p = e.point(crossbars, 1);
            let cells = p.against.iter().map(|a| format!("{} / {}", ratio(a.time_ratio), ratio(a.edp_ratio)));
            let row = |ns: Option<f64>| ns.map_or("-".into(), time);
            [
                vec![e.name.into()],
                cells.collect(),
                vec![ratio(p.compute_only.time_ratio), row(p.break_even_row_ns), row(p.one_percent_row_ns)],
            ]
            .concat()
        });
        text += &table(
            &format!("Time ratio / EDP ratio, {crossbars} crossbars, batch 1"),
            "BasisN over reprogramming, below 100% BasisN is better. Last columns: time ratio if writing took no time; row-write time at which both are equally fast; from which BasisN takes under 1%.",
            &[head(&["network"]), strings(&["no writing time", "equal at", "1% from"])].concat(),
            rows.collect(),
        );
    }

    let rows = all.iter().map(|e| {
        let cells = e.point(64, 64).against.iter().map(|a| format!("{} / {}", ratio(a.time_ratio), ratio(a.edp_ratio)));
        [vec![e.name.into()], cells.collect()].concat()
    });
    text += &table("Time ratio / EDP ratio, 64 crossbars, batch 64", "", &head(&["network"]), rows.collect());

    let rows = all.iter().map(|e| {
        let p = e.point(64, 1);
        let cells =
            p.against.iter().map(|a| format!("{} / {}", ratio(a.equal_area_time_ratio), ratio(a.equal_area_edp_ratio)));
        [vec![e.name.into(), p.against[0].equal_area_crossbars.to_string()], cells.collect()].concat()
    });
    text += &table(
        "Time ratio / EDP ratio with equal area, batch 1",
        "BasisN with 64 crossbars; reprogramming with as many as fit the same area.",
        &head(&["network", "crossbars"]),
        rows.collect(),
    );

    let rows = all.iter().map(|e| {
        let none = Concessions {
            replicate: false,
            overlap: false,
            skip_unchanged: false,
            pack_columns: false,
            keep_tiles: false,
        };
        let cell = |m| {
            let options = Options { crossbars: 64, batch: 1, cell_bits: 2, adc_bits: None, concessions: none };
            let other = cost(chip, &e.workload, &options, m, constants.values());
            let p = e.point(64, 1);
            format!("{} / {}", ratio(p.time_ns / other.time_ns), ratio(p.time_ns * p.energy.total() / other.edp()))
        };
        [vec![e.name.into()], constants.write_models.iter().map(cell).collect()].concat()
    });
    text += &table(
        "What the concessions are worth: none of them granted, 2-bit cells, 64 crossbars, batch 1",
        "",
        &head(&["network"]),
        rows.collect(),
    );

    let rows = all.iter().flat_map(|e| {
        let p = e.point(64, 1);
        let typical = p.against.iter().find(|a| a.write_model == "typical").unwrap();
        [("BasisN", &p.energy), ("typical", &typical.cost.energy)].map(|(side, of)| {
            let parts = Component::ALL.iter().map(|&c| format!("{:.1}%", 100.0 * of[c] / of.total()));
            [vec![e.name.into(), side.into(), energy(of.total())], parts.collect()].concat()
        })
    });
    let components: Vec<_> = Component::ALL.iter().map(|c| c.label().to_string()).collect();
    text += &table(
        "Energy by component, 64 crossbars, batch 1",
        "",
        &[strings(&["network", "side", "total"]), components].concat(),
        rows.collect(),
    );

    let rows = all.iter().map(|e| {
        let life = |l: Option<f64>| l.map_or("no writes".into(), digits);
        [vec![e.name.into()], e.point(64, 1).against.iter().map(|a| life(a.lifetime_inferences)).collect()].concat()
    });
    text += &table(
        "Lifetime of reprogramming in inferences, 64 crossbars, batch 1",
        "At 1e6 writes a cell; 1e4 and 1e9 are a hundredth and a thousandfold. BasisN writes once.",
        &head(&["network"]),
        rows.collect(),
    );

    let first = &all[0].report;
    let total: f64 = first.area.iter().map(|p| p.um2).sum();
    let rows = first.area.iter().map(|p| {
        vec![
            p.name.clone(),
            area(p.um2),
            format!("{:.1}%", 100.0 * p.um2 / total),
            if p.overhead { "yes".into() } else { String::new() },
            p.source.clone(),
        ]
    });
    text += &table(
        "Area of the chip `isaac`",
        "Hard blocks from the constants; logic from `scripts/synth`, in NAND gates at 32 nm.",
        &strings(&["part", "area", "share", "only BasisN has it", "from"]),
        rows.collect(),
    );

    let rows = all.iter().map(|e| {
        let o = overhead(&e.report.area, &e.point(64, 1).energy);
        let shares = [o.of_tiles, o.with_psums_of_tiles, o.of_chip, o.of_energy, o.with_leakage_of_energy];
        [vec![e.name.into()], shares.map(|s| format!("{:.1}%", 100.0 * s)).to_vec()].concat()
    });
    text += &table(
        "What BasisN adds, 64 crossbars, batch 1",
        "Switches, their settings and coefficient buffers; then with the psum banks, which the other chip is not charged for either.",
        &strings(&[
            "network",
            "of the tiles' area",
            "with psum banks",
            "all of the chip's area",
            "switching, of the energy",
            "with leakage of memories",
        ]),
        rows.collect(),
    );

    let typical = models.iter().position(|m| m == "typical").unwrap();
    let serial = models.iter().position(|m| m == "cell_serial").unwrap();
    let rows = first.variants.iter().map(|v| {
        let at = |m: usize| format!("{} / {}", ratio(v.time_ratios[m]), ratio(v.edp_ratios[m]));
        vec![
            v.name.clone() + if v.best { " *" } else { "" },
            time(v.time_ns),
            energy(v.energy_pj),
            area(v.area_um2),
            v.accuracy.as_ref().map_or("-".into(), |a| format!("{:.1}% ({:.1}%)", a.percent, a.unchanged_percent)),
            at(typical),
            at(serial),
        ]
    });
    text += &table(
        "Pushing it: resnet18-imagenet, 64 crossbars, batch 1",
        "* no other is at least as fast, as frugal and as accurate. Narrow inputs, skipped planes and faster reads are given to reprogramming as well. Accuracy is that of the digits with the same change (and without it).",
        &strings(&[
            "change",
            "time",
            "energy",
            "area",
            "digits",
            "typical: time / EDP ratio",
            "cell_serial: time / EDP ratio",
        ]),
        rows.collect(),
    );

    let rows = first.sensitivity.iter().take(12).map(|s| {
        let range = |of: [f64; 2]| format!("{} .. {}", ratio(of[0]), ratio(of[1]));
        vec![s.key.clone(), range(s.time_ratio), range(s.edp_ratio)]
    });
    text += &table(
        "What the answer hangs on: resnet18-imagenet, 64 crossbars, batch 1, `typical`",
        "Each constant from its low to its high value, the twelve with most influence on the EDP ratio.",
        &strings(&["constant", "time ratio", "EDP ratio"]),
        rows.collect(),
    );
    text.trim_end().to_string() + "\n"
}
