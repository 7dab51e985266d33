//! Second moments of the inputs: which weights matter.

use basisn_arch::Subvectors;
use rayon::prelude::*;

use super::Patches;

/// Patches that second moments are measured on, spread evenly over images and positions.
const MOMENT_PATCHES: usize = 4096;
/// Share of the mean moment that is added to every input's own: inputs that calibration never saw still count a little.
const MOMENT_RIDGE: f64 = 1e-3;

/// Second moments `E[x x^T]` of the inputs of every subvector, `[row][row]`.
pub(crate) fn moments(patches: &Patches, cut: Subvectors) -> Vec<Vec<f64>> {
    let patches: Vec<Vec<f64>> =
        patches.some(MOMENT_PATCHES, cut).into_iter().map(|p| p.into_iter().map(f64::from).collect()).collect();
    let count = patches.len().max(1);
    let length = cut.length;
    (0..cut.count)
        .into_par_iter()
        .map(|s| {
            let mut sums = vec![0.0; length * length];
            for patch in &patches {
                let x = &patch[s * length..(s + 1) * length];
                for (x_row, sums) in x.iter().zip(sums.chunks_exact_mut(length)).filter(|(x, _)| **x != 0.0) {
                    sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += x_row * x);
                }
            }
            let mean = (0..length).map(|i| sums[i * (length + 1)]).sum::<f64>() / length as f64;
            let ridge = if mean > 0.0 { MOMENT_RIDGE * mean } else { 1.0 };
            (0..length).for_each(|i| sums[i * (length + 1)] += ridge);
            sums.iter().map(|sum| sum / count as f64).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_patches() {
        // Four positions of 3 inputs in two subvectors of 2; the last place of the second one is never used.
        let patches = |values: &[i16]| Patches { depth: 3, values: values.to_vec() };
        let cut = Subvectors::new(3, 2);
        let found = moments(&patches(&[1, 0, 5, 2, 0, 5, 3, 0, 5, 4, 0, 5]), cut);
        let first = [7.5 + 0.00375, 0.0, 0.0, 0.00375];
        let second = [25.0 + 0.0125, 0.0, 0.0, 0.0125];
        for (found, wanted) in found.iter().zip([first, second]) {
            assert!(found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 1e-9), "{found:?}");
        }
        assert_eq!(moments(&patches(&[0; 12]), cut)[0], [0.25, 0.0, 0.0, 0.25]);
    }
}
