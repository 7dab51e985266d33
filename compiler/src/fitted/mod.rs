//! A fitted network: what is left of the float weights once they are coefficients and scales.
//! It depends on the crossbar and on the arithmetic, not on how many tiles there are: one fit serves any number of them.

mod file;

use basisn_arch::image::Input;
use basisn_arch::{ConvShape, Step, Subvectors};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::basis::Basis;
use crate::coefficient::{CoefficientCode, PLANES_MAX};
use crate::csd::digits;
pub use file::FORMAT;

/// A network as coefficients of a basis.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// Name of the network.
    pub name: String,
    /// One basis if all crossbars hold the same one; else kernel k of every layer is fitted to basis `k mod bases`.
    pub bases: Vec<Basis>,
    /// ADC bits A that the gains were chosen for.
    pub adc_bits: usize,
    /// The image that the first steps read.
    pub input: Input,
    /// Steps in order of computation, as in the program image: scales are integers already, whatever the chip.
    pub steps: Vec<Step>,
    /// Matrix layers in the order in which the steps use them.
    pub layers: Vec<FittedLayer>,
}

/// One layer as coefficients of a basis.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedLayer {
    /// Name.
    pub name: String,
    /// Shape of the convolution.
    pub shape: ConvShape,
    /// Form and planes of the coefficients.
    pub code: CoefficientCode,
    /// `[kernel][subvector][column]`.
    pub coefficients: Vec<i8>,
    /// Scale of every kernel: a weight is `scale * sum_c coefficient * level`.
    pub scale: Vec<f64>,
    /// Bias of every kernel.
    pub bias: Vec<f64>,
    /// Groups of kernels that own disjoint columns in every subvector, if the coefficients were trained so.
    pub groups: Option<Vec<Vec<usize>>>,
    /// What an input integer means.
    pub input: Code,
    /// What an output integer means; none where the result is given unshifted.
    pub output: Option<Code>,
    /// Smallest and largest output integer, within those of the code; none is all of them.
    pub range: Option<(i32, i32)>,
    /// Gain g of the ADC.
    pub gain: u32,
    /// Share of the ADC codes that were clipped in calibration, 0..1.
    pub clipped_share: f64,
    /// Sum of squares of the weights.
    pub weight_signal: f64,
    /// Sum of squares of what the coefficients don't represent.
    pub weight_error: f64,
}

/// An integer code: the integer `v` stands for `v * scale`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Value of one step.
    pub scale: f64,
    /// Bits: 1..8 where a matrix layer reads it, else up to 16.
    pub bits: usize,
    /// Two's complement.
    pub signed: bool,
}

/// What one lane has to do in some slot: one coefficient plane of one kernel in one subvector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaneItem {
    /// Kernel.
    pub kernel: usize,
    /// Coefficient plane j.
    pub plane: usize,
    /// Columns, and whether their polarity is negative.
    pub columns: Vec<(usize, bool)>,
}

impl Fitted {
    /// Checks what lowering relies on: sizes, ranges, and that groups name every kernel once and own disjoint columns.
    ///
    /// # Errors
    /// The first violation, with the layer.
    pub fn check(&self) -> Result<(), Error> {
        let fail = |at: String, cause: &str| Err(Error::Fitted { at, cause: cause.into() });
        let Some(basis) = self.bases.first() else { return fail("bases".into(), "there are none") };
        let cells = basis.rows * basis.columns;
        if cells == 0
            || self.bases.iter().any(|b| (b.rows, b.columns, b.levels.len()) != (basis.rows, basis.columns, cells))
        {
            return fail("bases".into(), "they do not have one level for every row and column, all in the same shape");
        }
        if self.layers.is_empty() {
            return fail("network".into(), "it has no layers");
        }
        for layer in &self.layers {
            layer.check(basis, self.bases.len()).or_else(|cause| fail(format!("layer {}", layer.name), cause))?;
        }
        Ok(())
    }

    /// Levels as the program image of a chip with `tiles` tiles has them: one block, or one for every tile.
    pub fn program_bases(&self, tiles: usize) -> Vec<Vec<i8>> {
        let count = if self.bases.len() == 1 { 1 } else { tiles };
        (0..count).map(|tile| self.bases[tile % self.bases.len()].levels.clone()).collect()
    }

    /// The most coefficient planes that a layer has.
    pub fn planes(&self) -> usize {
        self.layers.iter().map(|layer| layer.code.planes).max().unwrap_or(1)
    }
}

impl Code {
    fn is_valid(&self, most_bits: usize) -> bool {
        (1..=most_bits).contains(&self.bits) && self.scale.is_finite() && self.scale > 0.0
    }

    /// Smallest and largest integer.
    pub fn range(&self) -> (i32, i32) {
        if self.signed { (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1) } else { (0, (1 << self.bits) - 1) }
    }

    /// The integer nearest to `value`.
    pub fn quantize(&self, value: f64) -> i32 {
        let (low, high) = self.range();
        ((value / self.scale).round() as i32).clamp(low, high)
    }
}

impl FittedLayer {
    fn check(&self, basis: &Basis, bases: usize) -> Result<(), &'static str> {
        if !(1..=PLANES_MAX).contains(&self.code.planes) {
            return Err("coefficient planes are not 1..6");
        }
        let kernels = self.shape.kernels;
        if !basisn_arch::image::in_range(&self.shape) {
            return Err("its shape is out of range");
        }
        let width = self.cut(basis.rows).count * basis.columns;
        let finite = |values: &[f64]| values.len() == kernels && values.iter().all(|v| v.is_finite());
        if self.coefficients.len() != kernels * width {
            return Err("coefficients are not one for every kernel, subvector and column of the shape");
        }
        if self.coefficients.iter().any(|c| !self.code.contains(*c)) {
            return Err("a coefficient does not have the form that its planes can represent");
        }
        if !finite(&self.scale) || !finite(&self.bias) {
            return Err("scales and biases are not one finite number for every kernel");
        }
        if self.gain > 7 || !self.input.is_valid(8) || self.output.is_some_and(|code| !code.is_valid(16)) {
            return Err("gain, or scale or bits of an integer code, out of range");
        }
        let Some(groups) = &self.groups else { return Ok(()) };
        let mut seen = vec![false; kernels];
        for group in groups {
            let mut owned = vec![false; width];
            if group.iter().any(|k| k % bases != group[0] % bases) {
                return Err("a group has kernels of different bases");
            }
            for &kernel in group {
                match seen.get_mut(kernel) {
                    Some(seen) if !*seen => *seen = true,
                    _ => return Err("a group names a kernel that is not there, or was named before"),
                }
                for (owned, _) in owned.iter_mut().zip(self.of_kernel(kernel, width)).filter(|(_, c)| **c != 0) {
                    if std::mem::replace(owned, true) {
                        return Err("two kernels of a group use the same column");
                    }
                }
            }
        }
        if seen.contains(&false) { Err("a kernel is in no group") } else { Ok(()) }
    }

    fn of_kernel(&self, kernel: usize, width: usize) -> &[i8] {
        &self.coefficients[kernel * width..(kernel + 1) * width]
    }

    /// Coefficients that are not zero.
    pub fn nonzeros(&self) -> usize {
        self.coefficients.iter().filter(|c| **c != 0).count()
    }

    /// How the kernels are cut for crossbars of `rows` rows.
    pub fn cut(&self, rows: usize) -> Subvectors {
        Subvectors::new(self.shape.depth(), rows)
    }

    /// The items of every subvector, in order of kernel and plane. A kernel whose coefficients are all zero
    /// has one item without columns, in subvector 0: its psum must be written.
    pub fn items(&self, basis: &Basis) -> Vec<Vec<PlaneItem>> {
        let count = self.cut(basis.rows).count;
        let mut items = vec![Vec::new(); count];
        for (kernel, coefficients) in self.coefficients.chunks_exact(count * basis.columns).enumerate() {
            let mut any = false;
            for (items, coefficients) in items.iter_mut().zip(coefficients.chunks_exact(basis.columns)) {
                let mut by_plane = vec![Vec::new(); self.code.planes];
                for (column, &coefficient) in coefficients.iter().enumerate() {
                    for (plane, digit) in digits(i32::from(coefficient), self.code.planes).enumerate() {
                        if digit != 0 {
                            by_plane[plane].push((column, digit < 0));
                        }
                    }
                }
                for (plane, columns) in by_plane.into_iter().enumerate().filter(|(_, c)| !c.is_empty()) {
                    any = true;
                    items.push(PlaneItem { kernel, plane, columns });
                }
            }
            if !any {
                items[0].push(PlaneItem { kernel, plane: 0, columns: Vec::new() });
            }
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use basisn_models::random::mvm_shape;

    #[test]
    fn codes_round_and_clamp() {
        let unsigned = Code { scale: 0.5, bits: 8, signed: false };
        assert_eq!([-1.0, 0.24, 0.26, 126.9, 1e9].map(|v| unsigned.quantize(v)), [0, 0, 1, 254, 255]);
        let signed = Code { scale: 1.0, bits: 4, signed: true };
        assert_eq!([-9.0, -7.6, 6.4, 7.6].map(|v| signed.quantize(v)), [-8, -8, 6, 7]);
    }

    /// Two kernels, two subvectors of two rows, two columns.
    fn fitted(coefficients: [i8; 8], groups: Option<Vec<Vec<usize>>>) -> Fitted {
        let shape = mvm_shape(3, 1, 2);
        let layer = FittedLayer {
            name: "a".into(),
            shape,
            code: CoefficientCode::csd(3),
            coefficients: coefficients.to_vec(),
            scale: vec![1.0; 2],
            bias: vec![0.0; 2],
            groups,
            input: Code { scale: 1.0, bits: 8, signed: false },
            output: None,
            range: None,
            gain: 0,
            clipped_share: 0.0,
            weight_signal: 1.0,
            weight_error: 0.0,
        };
        let basis = Basis { rows: 2, columns: 2, levels: vec![1; 4] };
        let input = Input { shape: basisn_arch::Shape::new(3, 1, 1), bits: 8, signed: false, scale: 1.0 };
        Fitted { name: "n".into(), bases: vec![basis], adc_bits: 8, input, steps: Vec::new(), layers: vec![layer] }
    }

    #[test]
    fn items_are_the_digits_and_zero_kernels_have_one() {
        // Kernel 0 has 3 = 4 - 1 and -2, kernel 1 nothing.
        let fitted = fitted([0, 3, 0, -2, 0, 0, 0, 0], None);
        let item = |kernel, plane, columns: &[(usize, bool)]| PlaneItem { kernel, plane, columns: columns.to_vec() };
        let items = fitted.layers[0].items(&fitted.bases[0]);
        assert_eq!(items[0], [item(0, 0, &[(1, true)]), item(0, 2, &[(1, false)]), item(1, 0, &[])]);
        assert_eq!(items[1], [item(0, 1, &[(1, true)])]);
    }

    #[test]
    fn damaged_fits_are_refused() {
        let refused = |change: &dyn Fn(&mut Fitted)| {
            let mut fit = fitted([0, 3, 0, -2, 1, 0, 1, 0], Some(vec![vec![1, 0]]));
            fit.check().unwrap();
            change(&mut fit);
            fit.check().unwrap_err().to_string()
        };
        let layer = refused(&|f| f.layers[0].coefficients[0] = 1);
        assert!(layer.contains("at:    layer a") && layer.contains("two kernels of a group"), "{layer}");
        assert!(refused(&|f| f.layers[0].coefficients[1] = 6).contains("the form that its planes"));
        assert!(refused(&|f| f.layers[0].coefficients.truncate(7)).contains("not one for every kernel"));
        assert!(refused(&|f| f.layers[0].scale[1] = f64::NAN).contains("finite"));
        assert!(refused(&|f| f.layers[0].input.bits = 9).contains("out of range"));
        assert!(refused(&|f| f.layers[0].groups = Some(vec![vec![0]])).contains("in no group"));
        assert!(refused(&|f| f.layers[0].groups = Some(vec![vec![0, 2]])).contains("not there"));
        assert!(refused(&|f| f.bases[0].levels.clear()).contains("at:    bases"));
        assert!(refused(&|f| f.bases.clear()).contains("there are none"));
        assert!(refused(&|f| f.bases.push(f.bases[0].clone())).contains("different bases"));
        assert!(refused(&|f| f.layers[0].code.planes = 7).contains("1..6"));
        assert!(refused(&|f| f.layers.clear()).contains("no layers"));
    }
}
