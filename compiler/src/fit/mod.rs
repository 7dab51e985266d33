//! Coefficients for a layer's weights: `W[k, s] ~ scale[k] * sum_c coefficient[k, s, c] * V[:, c]`.
//!
//! | module | what |
//! |---|---|
//! | `target`, `metric` | the weights, and which of them matter; products of columns |
//! | [`pursuit`] | grouped kernels compete for columns; at most so many nonzeros |
//! | [`rounding`] | kernels that use all columns of their crossbar |
//! | `group`, `kernel`, `improvement` | what both work on: kernels, columns, what is left; better columns |
//! | `offer` | what a column is worth to a kernel |
//! | [`Lesson`] | a layer that a basis is learned from |
//! | [`Written`] | crossbars with cells that could not be written |
//! | `winner` | winner takes all, for comparison |

mod group;
mod improvement;
mod kernel;
mod learn;
mod metric;
mod offer;
pub mod pursuit;
mod resume;
pub mod rounding;
mod target;
mod winner;
mod written;

use std::collections::BTreeMap;

use basisn_arch::ChipConfig;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::basis::{Basis, BasisKind, BasisOptions};
use crate::coefficient::CoefficientCode;
pub use learn::Lesson;
use pursuit::Pursuit;
pub use resume::FitRun;
pub use target::Target;
pub use written::Written;

/// The fit of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerFit {
    /// `[kernel][subvector][column]`.
    pub coefficients: Vec<i8>,
    /// Scale of every kernel; 0 for a kernel without coefficients.
    pub scale: Vec<f64>,
    /// Groups of kernels that own disjoint columns, if they were fitted so.
    pub groups: Option<Vec<Vec<usize>>>,
    /// Sum of squares of the weights, or of what they give if inputs are known.
    pub signal: f64,
    /// Sum of squares of what the fit leaves, counted in the same way.
    pub error: f64,
}

/// How a layer is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerOptions {
    /// Form of the coefficients.
    pub code: CoefficientCode,
    /// Kernels of a group, which own disjoint columns and run in one slot; none if every kernel may use any column of its crossbar.
    pub group: Option<usize>,
    /// Columns that a kernel uses at most in a subvector.
    pub nonzeros: Option<usize>,
}

impl LayerOptions {
    /// Whether every kernel uses all columns of its crossbar.
    fn uses_all_columns(&self) -> bool {
        self.group.is_none() && self.nonzeros.is_none()
    }
}

/// How a network is fitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FitOptions {
    /// Basis of the crossbars.
    pub basis: BasisOptions,
    /// For layers that are not named below.
    pub default: LayerOptions,
    /// Layers with options of their own, by name.
    pub layers: BTreeMap<String, LayerOptions>,
    /// Count a weight's error by the second moments of its inputs.
    pub weighted: bool,
    /// Bits of the integers between layers; none is as many as the chip's inputs have.
    pub activation_bits: Option<usize>,
    /// Tiles that groups are made for: there a layer has exactly `ceil(ceil(K / N) / G)` slots in a subvector.
    /// Groups made for one tile are as large as they can be, and suit all numbers of tiles that are powers of two.
    pub tiles: usize,
    /// What the crossbars of a chip hold, if it isn't what they should.
    pub written: Option<Written>,
}

impl FitOptions {
    /// Coefficients without any training: every kernel uses all columns, with as many digits as the chip has planes.
    pub fn local(config: &ChipConfig) -> Self {
        let code = CoefficientCode::csd(config.coefficient_planes());
        Self::all(LayerOptions { code, group: None, nonzeros: None })
    }

    /// Ternary coefficients in groups of `group` kernels, made for `tiles` tiles.
    pub fn grouped(group: usize, tiles: usize) -> Self {
        let default = LayerOptions { code: CoefficientCode::TERNARY, group: Some(group), nonzeros: None };
        FitOptions { tiles, ..Self::all(default) }
    }

    /// The same options for all layers.
    fn all(default: LayerOptions) -> Self {
        FitOptions {
            basis: BasisOptions::default(),
            default,
            layers: BTreeMap::new(),
            weighted: false,
            activation_bits: None,
            tiles: 1,
            written: None,
        }
    }

    /// Options of one layer.
    pub fn of_layer(&self, name: &str) -> &LayerOptions {
        self.layers.get(name).unwrap_or(&self.default)
    }

    /// Checks the options for layers of these names and a chip.
    ///
    /// # Errors
    /// A layer that is not there, more planes than the chip has, or groups and numbers that are out of range.
    pub fn check(&self, names: &[&str], config: &ChipConfig) -> Result<(), Error> {
        let fail = |at: &str, cause: String, fix: &str| Err(Error::fit(at, cause, fix));
        if let Some(name) = self.layers.keys().find(|name| !names.contains(&name.as_str())) {
            let fix = format!("name one of {}", names.join(", "));
            return fail(&format!("layer {name}"), "the network has no layer of this name".into(), &fix);
        }
        for (name, layer) in
            std::iter::once(("all layers", &self.default)).chain(self.layers.iter().map(|(n, l)| (n.as_str(), l)))
        {
            let (planes, most) = (layer.code.planes, config.coefficient_planes());
            if !(1..=most).contains(&planes) {
                return fail(
                    name,
                    format!("{planes} coefficient planes; the chip has {most}"),
                    "set planes in this range, from 1",
                );
            }
            if layer.group.is_some_and(|g| !(1..=config.lanes()).contains(&g)) {
                let cause =
                    format!("groups of {} kernels; a crossbar has {} lanes", layer.group.unwrap_or(0), config.lanes());
                return fail(name, cause, "set a group from 1 to adc.lanes");
            }
            if layer.nonzeros.is_some_and(|s| !(1..=config.columns()).contains(&s)) {
                let cause =
                    format!("{} nonzeros; a crossbar has {} columns", layer.nonzeros.unwrap_or(0), config.columns());
                return fail(name, cause, "set nonzeros from 1 to crossbar.columns");
            }
        }
        let bases = self.basis.count;
        if bases == 0 || bases > config.tiles() || !config.tiles().is_multiple_of(bases) {
            let cause = format!("{bases} different bases; the chip has {} tiles", config.tiles());
            return fail("basis", cause, "set a number that divides core.tiles");
        }
        let grouped = std::iter::once(&self.default).chain(self.layers.values()).any(|layer| layer.group.is_some());
        if grouped && (self.tiles == 0 || !self.tiles.is_multiple_of(bases)) {
            let cause = format!("groups for {} tiles, and {bases} different bases", self.tiles);
            return fail("groups", cause, "make groups for a multiple of the bases");
        }
        Ok(())
    }
}

/// The bases that the options ask for. Learned ones start from Hadamard bases; `progress` gets the share of the work that is done, 0..1.
pub fn bases(
    lessons: &[Lesson],
    config: &ChipConfig,
    options: &FitOptions,
    progress: &(dyn Fn(f64) + Sync),
) -> Vec<Basis> {
    let BasisOptions { kind, count, seed } = options.basis;
    let fixed = options.basis.fixed(config);
    if kind != BasisKind::Learned {
        return fixed;
    }
    let learn = |(number, start)| {
        let done = |share: f64| progress((number as f64 + share) / count as f64);
        learn::learn(lessons, start, (number, count, options.tiles), config, seed, &done)
    };
    fixed.iter().enumerate().map(learn).collect()
}

/// Fits one layer. With several bases kernel k gets basis `k mod bases`. Groups are made for `tiles` tiles, a multiple of the bases,
/// see [`pursuit::groups`].
pub fn fit_layer(target: &Target, bases: &[Basis], tiles: usize, options: &LayerOptions) -> LayerFit {
    let kernels = target.kernels();
    let groups = options.group.map(|size| pursuit::groups(kernels, size, tiles));
    let mut fits = bases.iter().enumerate().map(|(number, basis)| {
        let own: Vec<usize> = (number..kernels).step_by(bases.len()).collect();
        match (&groups, options.nonzeros) {
            (None, None) => rounding::rounded(target, basis, &own, options.code),
            (None, nonzeros) => {
                let alone: Vec<Vec<usize>> = own.iter().map(|&k| vec![k]).collect();
                pursuit::grouped(target, basis, &alone, options.code, nonzeros)
            }
            (Some(groups), nonzeros) => {
                let own: Vec<_> = groups.iter().filter(|g| g[0] % bases.len() == number).cloned().collect();
                pursuit::grouped(target, basis, &own, options.code, nonzeros)
            }
        }
    });
    let first = fits.next().unwrap_or_else(|| Pursuit::empty(kernels, 0));
    let mut all = fits.fold(first.fit, |mut all, Pursuit { fit, .. }| {
        // A kernel has coefficients and a scale in one of them only.
        all.coefficients.iter_mut().zip(fit.coefficients).for_each(|(a, c)| *a += c);
        all.scale.iter_mut().zip(fit.scale).for_each(|(a, s)| *a += s);
        all.signal += fit.signal;
        all.error += fit.error;
        all
    });
    all.groups = groups;
    all
}

/// Signal to noise ratio in dB, at most 300: a perfect fit has no finite one. 0 if there is no signal.
pub fn snr_db(signal: f64, error: f64) -> f64 {
    if signal <= 0.0 { 0.0 } else { (10.0 * (signal / error.max(signal * 1e-30)).log10()).min(300.0) }
}

#[cfg(test)]
mod tests;
