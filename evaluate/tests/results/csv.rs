//! `docs/results.csv`: every network, number of crossbars and write model at batch 1, both sides, energy by component.

use basisn_evaluate::{Component, Energy};

use crate::networks::{CROSSBARS, Evaluated};

/// A line for BasisN and one for reprogramming under each write model; six digits.
pub fn all(all: &[Evaluated]) -> String {
    let components: Vec<_> = Component::ALL.iter().map(|c| format!("{}_pj", c.key())).collect();
    let mut text = format!(
        "network,crossbars,side,time_ns,energy_pj,basisn_time_ratio,basisn_edp_ratio,lifetime_inferences,{}\n",
        components.join(",")
    );
    let mut crossbars = CROSSBARS;
    crossbars.sort_unstable();
    for (network, crossbars) in all.iter().flat_map(|e| crossbars.map(|n| (e, n))) {
        let p = network.point(crossbars, 1);
        let mut line = |side: &str, time_ns: f64, energy: &Energy, ratios: [Option<f64>; 3]| {
            let ratios = ratios.map(|r| r.map_or(String::new(), |r| format!("{r:.5e}")));
            let parts: Vec<_> = Component::ALL.iter().map(|&c| format!("{:.5e}", energy[c])).collect();
            let (name, total, ratios, parts) = (network.name, energy.total(), ratios.join(","), parts.join(","));
            text += &format!("{name},{crossbars},{side},{time_ns:.5e},{total:.5e},{ratios},{parts}\n");
        };
        line("basisn", p.time_ns, &p.energy, [None; 3]);
        for a in &p.against {
            let ratios = [Some(a.time_ratio), Some(a.edp_ratio), a.lifetime_inferences];
            line(&a.write_model, a.cost.time_ns, &a.cost.energy, ratios);
        }
    }
    text
}
