//! Fits of single layers kept in a folder, so that a fit that was interrupted goes on where it ended.
//!
//! A file's name is the hash of all that the layer's fit depends on, so that whatever changes, no stale fit is ever taken; a file that
//! is damaged counts as missing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use basisn_arch::{Subvectors, file};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};

use super::{LayerFit, LayerOptions, Target, fit_layer, pursuit};
use crate::Error;
use crate::basis::Basis;

/// Changes with everything that changes what a fit finds.
const VERSION: &str = "1";

/// What accompanies the fit of a whole network.
#[derive(Clone, Copy)]
pub struct FitRun<'a> {
    /// Gets the share of the work that is done, 0..1.
    pub progress: &'a (dyn Fn(f64) + Sync),
    /// Folder of finished layers; it is made if it is not there.
    pub partial: Option<&'a Path>,
}

impl Default for FitRun<'_> {
    fn default() -> Self {
        FitRun { progress: &|_| {}, partial: None }
    }
}

impl FitRun<'_> {
    /// As [`fit_layer`], but a layer that is in the folder is taken from there, and another one is put there.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn fit_layer(
        &self,
        target: &Target,
        bases: &[Basis],
        tiles: usize,
        options: &LayerOptions,
    ) -> Result<LayerFit, Error> {
        let Some(folder) = self.partial else { return Ok(fit_layer(target, bases, tiles, options)) };
        let path = path(folder, target, bases, tiles, options)?;
        let groups = options.group.map(|size| pursuit::groups(target.kernels(), size, tiles));
        let sizes = [target.kernels(), Subvectors::new(target.depth, bases[0].rows).count, bases[0].columns];
        if let Some(found) = std::fs::read(&path).ok().and_then(|bytes| read(&bytes, sizes)) {
            return Ok(LayerFit { groups, ..found });
        }
        let fit = fit_layer(target, bases, tiles, options);
        std::fs::create_dir_all(folder).map_err(|e| cannot_write(folder, &e))?;
        let bytes = bytes(&fit, sizes).map_err(|e| cannot_write(&path, &e))?;
        file::write_whole(&path, &bytes).map_err(|e| cannot_write(&path, &e))?;
        Ok(fit)
    }
}

fn path(
    folder: &Path,
    target: &Target,
    bases: &[Basis],
    tiles: usize,
    options: &LayerOptions,
) -> Result<PathBuf, Error> {
    let options = serde_json::to_string(options).map_err(|e| cannot_write(folder, &e))?;
    let mut hash = Sha256::new();
    hash.update(format!("{VERSION} {} {tiles} {options}", target.depth));
    target.weight.iter().for_each(|w| hash.update(w.to_le_bytes()));
    target.moments.iter().copied().flatten().flatten().for_each(|m| hash.update(m.to_le_bytes()));
    for basis in bases {
        hash.update(format!("{} {}", basis.rows, basis.columns));
        hash.update(basis.levels.iter().map(|l| l.cast_unsigned()).collect::<Vec<u8>>());
    }
    let name: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(folder.join(name + ".layer"))
}

fn bytes(fit: &LayerFit, sizes: [usize; 3]) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let coefficients: Vec<u8> = fit.coefficients.iter().map(|c| c.cast_unsigned()).collect();
    let numbers = |values: &[f64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let (scale, sums) = (numbers(&fit.scale), numbers(&[fit.signal, fit.error]));
    let views = [
        ("coefficients", TensorView::new(Dtype::I8, sizes.to_vec(), &coefficients)?),
        ("scale", TensorView::new(Dtype::F64, vec![sizes[0]], &scale)?),
        ("sums", TensorView::new(Dtype::F64, vec![2], &sums)?),
    ];
    safetensors::serialize(views, None::<HashMap<String, String>>)
}

fn read(bytes: &[u8], sizes: [usize; 3]) -> Option<LayerFit> {
    let tensors = SafeTensors::deserialize(bytes).ok()?;
    let tensor = |name: &str, dtype, shape: &[usize]| {
        tensors.tensor(name).ok().filter(|t| t.dtype() == dtype && t.shape() == shape).map(|t| t.data())
    };
    let numbers = |name: &str, count| -> Option<Vec<f64>> {
        let bytes = tensor(name, Dtype::F64, &[count])?;
        let values: Vec<f64> = bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
        Some(values).filter(|v| v.iter().all(|v| v.is_finite()))
    };
    let coefficients = tensor("coefficients", Dtype::I8, &sizes)?.iter().map(|c| c.cast_signed()).collect();
    let (scale, sums) = (numbers("scale", sizes[0])?, numbers("sums", 2)?);
    Some(LayerFit { coefficients, scale, groups: None, signal: sums[0], error: sums[1] })
}

fn cannot_write(path: &Path, cause: &dyn std::fmt::Display) -> Error {
    Error::fit(
        path.display().to_string(),
        format!("a finished layer cannot be kept: {cause}"),
        "give --partial a folder that is writable and has room",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coefficient::CoefficientCode;
    use crate::random::{Random, test_seed};
    use basisn_arch::ChipConfig;

    #[test]
    fn finished_layers_are_taken_and_changed_or_damaged_ones_fitted_again() {
        let mut random = Random::new(test_seed(71));
        let weight: Vec<f32> = (0..8 * 70).map(|_| random.signed_unit() as f32).collect();
        let target = Target::new(&weight, 70);
        let bases = [Basis::hadamard(&ChipConfig::load("digits").unwrap())];
        let options = LayerOptions { code: CoefficientCode::TERNARY, group: Some(4), nonzeros: None };
        let folder = tempfile::tempdir().unwrap();
        let partial = folder.path().join("partial");
        let run = FitRun { partial: Some(&partial), ..FitRun::default() };
        let fresh = fit_layer(&target, &bases, 1, &options);
        let files = || std::fs::read_dir(&partial).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
        assert_eq!(run.fit_layer(&target, &bases, 1, &options).unwrap(), fresh);
        assert_eq!(files().len(), 1);
        // A fit that can be told from a fresh one.
        let marked = LayerFit { error: 0.125, ..fresh.clone() };
        std::fs::write(&files()[0], bytes(&marked, [8, 2, 64]).unwrap()).unwrap();
        assert_eq!(run.fit_layer(&target, &bases, 1, &options).unwrap(), marked);
        let whole = std::fs::read(&files()[0]).unwrap();
        std::fs::write(&files()[0], &whole[..whole.len() - 1]).unwrap();
        assert_eq!(run.fit_layer(&target, &bases, 1, &options).unwrap(), fresh);
        // Weights, options or tiles that differ are other layers.
        let mut other = weight.clone();
        other[3] += 0.5;
        run.fit_layer(&Target::new(&other, 70), &bases, 1, &options).unwrap();
        run.fit_layer(&target, &bases, 2, &options).unwrap();
        run.fit_layer(&target, &bases, 1, &LayerOptions { nonzeros: Some(9), ..options }).unwrap();
        assert_eq!(files().len(), 4);
        let blocked = folder.path().join("blocked");
        std::fs::write(&blocked, "").unwrap();
        let run = FitRun { partial: Some(&blocked), ..FitRun::default() };
        let error = run.fit_layer(&target, &bases, 1, &options).unwrap_err().to_string();
        assert!(error.contains("blocked") && error.contains("--partial"), "{error}");
    }
}
