//! From the bytes of a picture to what networks take: mean zero, deviation one, as each data set is customarily trained.

use crate::fitted::Code;

/// Mean and standard deviation of the channels of a data set, for bytes that stand for 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    mean: [f32; 3],
    deviation: [f32; 3],
}

impl Normalization {
    /// Pictures as torchvision's networks take them.
    pub const IMAGENET: Self = Normalization { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };
    /// CIFAR-10.
    pub const CIFAR10: Self = Normalization { mean: [0.4914, 0.4822, 0.4465], deviation: [0.2470, 0.2435, 0.2616] };
    /// CIFAR-100.
    pub const CIFAR100: Self = Normalization { mean: [0.5071, 0.4865, 0.4409], deviation: [0.2673, 0.2564, 0.2762] };
    /// MNIST.
    pub const MNIST: Self = Normalization { mean: [0.1307; 3], deviation: [0.3081; 3] };
    /// Drawn images: their colours are uniform.
    pub const DRAWN: Self = Normalization { mean: [0.5; 3], deviation: [0.25; 3] };

    /// The number that a byte of a channel stands for.
    pub fn apply(&self, channel: usize, byte: u8) -> f32 {
        (f32::from(byte) / 255.0 - self.mean[channel]) / self.deviation[channel]
    }

    /// The signed 8-bit code whose largest integer is the largest number of any byte.
    pub fn code(&self) -> Code {
        let largest = (0..3).flat_map(|c| [0, 255].map(|byte| self.apply(c, byte).abs())).fold(0.0f32, f32::max);
        let code = Code { scale: 1.0, bits: 8, signed: true };
        Code { scale: f64::from(largest) / f64::from(code.range().1), ..code }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_reaches_the_largest_number() {
        for normalization in [Normalization::CIFAR10, Normalization::MNIST, Normalization::DRAWN] {
            let code = normalization.code();
            let all = (0..3).flat_map(|c| (0..=255).map(move |byte| (c, byte)));
            let integers: Vec<i32> =
                all.map(|(c, byte)| code.quantize(f64::from(normalization.apply(c, byte)))).collect();
            let most = integers.iter().map(|v| v.abs()).max();
            assert_eq!(most, Some(127), "{normalization:?}");
        }
    }
}
