//! Tables for other programs; the first line names the columns, units are in the names.

use crate::Component;
use crate::study::Report;

/// All tables, with the names of their files.
pub fn tables(report: &Report) -> [(&'static str, String); 6] {
    [
        ("ratios.csv", ratios(report)),
        ("energy.csv", energy(report)),
        ("layers.csv", layers(report)),
        ("area.csv", area(report)),
        ("variants.csv", variants(report)),
        ("sensitivity.csv", sensitivity(report)),
    ]
}

/// Every number of crossbars, batch and write model: `ratios.csv`.
fn ratios(report: &Report) -> String {
    let mut text = String::from(
        "crossbars,batch,write_model,basisn_time_ns,basisn_energy_pj,basisn_area_um2,reprogram_time_ns,reprogram_compute_ns,\
         reprogram_energy_pj,cell_bits,adc_bits,crossbars_to_fit,crossbars_written,time_ratio,energy_ratio,edp_ratio,\
         lifetime_inferences,equal_area_crossbars,equal_area_time_ratio,equal_area_edp_ratio\n",
    );
    for p in &report.points {
        for a in p.against.iter().chain([&p.compute_only]) {
            let c = &a.cost;
            let lifetime = a.lifetime_inferences.map_or(String::new(), |l| format!("{l:.6e}"));
            text.push_str(&format!(
                "{},{},{},{:.1},{:.1},{:.0},{:.1},{:.1},{:.1},{},{},{:.2},{:.2},{:.6},{:.6},{:.8},{},{},{:.6},{:.8}\n",
                p.crossbars,
                p.batch,
                a.write_model,
                p.time_ns,
                p.energy.total(),
                p.area_um2,
                c.time_ns,
                c.compute_ns,
                c.energy.total(),
                c.cell_bits,
                c.adc_bits,
                c.crossbars_to_fit,
                c.crossbars_written,
                a.time_ratio,
                a.energy_ratio,
                a.edp_ratio,
                lifetime,
                a.equal_area_crossbars,
                a.equal_area_time_ratio,
                a.equal_area_edp_ratio
            ));
        }
    }
    text
}

/// Energy by component, both sides: `energy.csv`.
fn energy(report: &Report) -> String {
    let mut text = String::from("crossbars,batch,side,component,energy_pj\n");
    for p in &report.points {
        let own = ("basisn", &p.energy);
        let others = p.against.iter().map(|a| (a.write_model.as_str(), &a.cost.energy));
        for (side, energy) in [own].into_iter().chain(others) {
            for &c in Component::ALL {
                text.push_str(&format!("{},{},{side},{},{:.3}\n", p.crossbars, p.batch, c.key(), energy[c]));
            }
        }
    }
    text
}

/// Layer by layer on the BasisN chip: `layers.csv`.
fn layers(report: &Report) -> String {
    let mut text = String::from("layer,kernels,depth,positions,cycles,read_cycles,time_ns,energy_pj,slot_bits\n");
    for l in &report.layers {
        text.push_str(&format!(
            "{},{},{},{},{},{},{:.1},{:.1},{}\n",
            l.name, l.kernels, l.depth, l.positions, l.cycles, l.read_cycles, l.time_ns, l.energy_pj, l.slot_bits
        ));
    }
    text
}

/// Sensitivity to single constants: `sensitivity.csv`.
fn sensitivity(report: &Report) -> String {
    let mut text = String::from("constant,time_ratio_low,time_ratio_high,edp_ratio_low,edp_ratio_high\n");
    for s in &report.sensitivity {
        let [t, e] = [s.time_ratio, s.edp_ratio];
        text.push_str(&format!("{},{:.6},{:.6},{:.8},{:.8}\n", s.key, t[0], t[1], e[0], e[1]));
    }
    text
}

/// Parts of the BasisN chip: `area.csv`.
fn area(report: &Report) -> String {
    let mut text = String::from("part,area_um2,only_basisn,from\n");
    for p in &report.area {
        text.push_str(&format!("{},{:.1},{},{}\n", p.name, p.um2, p.overhead, p.source));
    }
    text
}

/// Changed chips: `variants.csv`; ratios of each write model are in `report.json`.
fn variants(report: &Report) -> String {
    let mut text =
        String::from("change,time_ns,energy_pj,area_um2,digits_accuracy_percent,digits_unchanged_percent,best\n");
    for v in &report.variants {
        let [accuracy, unchanged] = [0, 1].map(|i| {
            v.accuracy.as_ref().map_or(String::new(), |a| format!("{:.2}", [a.percent, a.unchanged_percent][i]))
        });
        let name = v.name.replace(',', ";");
        text.push_str(&format!(
            "{name},{:.1},{:.1},{:.0},{accuracy},{unchanged},{}\n",
            v.time_ns, v.energy_pj, v.area_um2, v.best
        ));
    }
    text
}
