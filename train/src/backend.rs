//! What computes the tensors of a training.
//!
//! The CPU always does. CUDA and WGPU are features of the crate, because they bring compilers and drivers that few need; the ADC and the
//! steps between layers are computed on the CPU in any case.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::Error;

/// What computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// The processor, all threads.
    #[default]
    Cpu,
    /// The first NVIDIA GPU; a program built with `--features cuda`.
    Cuda,
    /// The GPU that Vulkan, Metal or DirectX prefers; a program built with `--features wgpu`.
    Wgpu,
}

impl Backend {
    /// The device.
    ///
    /// # Errors
    /// The program was built without the feature.
    pub fn device(self) -> Result<Device, Error> {
        match self {
            // By name: the default device would follow the backends that other crates enable.
            Backend::Cpu => Ok(Device::flex()),
            #[cfg(feature = "cuda")]
            Backend::Cuda => Ok(Device::cuda(0)),
            #[cfg(feature = "wgpu")]
            Backend::Wgpu => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(not(feature = "cuda"))]
            Backend::Cuda => Err(Error::Backend { feature: "cuda" }),
            #[cfg(not(feature = "wgpu"))]
            Backend::Wgpu => Err(Error::Backend { feature: "wgpu" }),
        }
    }
}

#[cfg(all(test, not(feature = "cuda"), not(feature = "wgpu")))]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_built_is_refused_with_the_way_to_build_it() {
        assert!(Backend::Cpu.device().is_ok());
        for (backend, feature) in [(Backend::Cuda, "cuda"), (Backend::Wgpu, "wgpu")] {
            let error = backend.device().unwrap_err().to_string();
            assert!(error.contains(&format!("at:    --backend {feature}")), "{error}");
            assert!(error.contains(&format!("--package basisn-train --features {feature}")), "{error}");
        }
    }
}
