//! Float reference inference: what the compiled network is measured against and calibrated with.
//!
//! Sums run in double precision and in a fixed order, so that every machine calibrates the same scales and writes the same image.

use basisn_arch::ConvShape;
use rayon::prelude::*;

use crate::weights::LayerWeights;
use crate::{Error, Network, Weights};

/// A network with its weights, ready to run.
#[derive(Clone, Debug)]
pub struct FloatNetwork {
    input_scale: f64,
    inputs: usize,
    layers: Vec<FloatLayer>,
}

#[derive(Clone, Debug)]
struct FloatLayer {
    shape: ConvShape,
    relu: bool,
    /// `[d][kernel]`: the innermost loop runs over kernels.
    weight: Vec<f64>,
    bias: Vec<f64>,
}

impl FloatNetwork {
    /// Joins a description and its weights.
    ///
    /// # Errors
    /// The layers of the network don't fit together, or the weights are not those of this network.
    pub fn new(network: &Network, weights: &Weights) -> Result<Self, Error> {
        let shapes = network.shapes().map_err(|cause| Error::Network { at: network.name.clone(), cause })?;
        let sizes = |w: &LayerWeights| (w.weight.len(), w.bias.len());
        let wanted = shapes.iter().map(|s| (s.kernels * s.depth(), s.kernels));
        if !weights.layers.iter().map(sizes).eq(wanted) {
            return Err(Error::weights(
                format!("network {}", network.name),
                "weights and biases are not one for every weight and kernel of its layers",
                "give the network that these weights belong to",
            ));
        }
        let layers = network
            .layers
            .iter()
            .zip(shapes)
            .zip(&weights.layers)
            .map(|((layer, shape), weights)| FloatLayer::new(shape, layer.relu, weights))
            .collect();
        let input = &network.input;
        Ok(FloatNetwork { input_scale: input.scale, inputs: input.channels * input.height * input.width, layers })
    }

    /// Outputs of every layer for one image of integer pixels, in channel, row, column order; ReLU applied.
    ///
    /// # Errors
    /// The image has another number of pixels than the network.
    pub fn activations(&self, image: &[i32]) -> Result<Vec<Vec<f64>>, Error> {
        if image.len() != self.inputs {
            return Err(Error::calibration(
                "an image",
                format!("{} pixels, and the network takes {}", image.len(), self.inputs),
                "give images of the network's input shape",
            ));
        }
        let pixels: Vec<f64> = image.iter().map(|&p| f64::from(p) * self.input_scale).collect();
        let mut outputs: Vec<Vec<f64>> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let output = layer.run(outputs.last().unwrap_or(&pixels));
            outputs.push(output);
        }
        Ok(outputs)
    }

    /// Share of images whose largest score is that of their label, 0..1; the first of equal scores counts.
    ///
    /// # Errors
    /// As [`FloatNetwork::activations`].
    pub fn accuracy(&self, images: &[Vec<i32>], labels: &[u8]) -> Result<f64, Error> {
        let right = images
            .par_iter()
            .zip(labels)
            .map(|(image, label)| {
                let outputs = self.activations(image)?;
                let class = outputs.last().map_or(0, |scores| argmax(scores));
                Ok(usize::from(class == usize::from(*label)))
            })
            .collect::<Result<Vec<usize>, Error>>()?;
        Ok(right.iter().sum::<usize>() as f64 / right.len().max(1) as f64)
    }
}

impl FloatLayer {
    fn new(shape: ConvShape, relu: bool, weights: &LayerWeights) -> Self {
        let depth = shape.depth();
        let weight = (0..depth)
            .flat_map(|d| (0..shape.kernels).map(move |k| f64::from(weights.weight[k * depth + d])))
            .collect();
        FloatLayer { shape, relu, weight, bias: weights.bias.iter().map(|&b| f64::from(b)).collect() }
    }

    fn run(&self, input: &[f64]) -> Vec<f64> {
        let (kernels, positions) = (self.shape.kernels, self.shape.positions());
        let mut patch = vec![0.0; self.shape.depth()];
        let mut output = vec![0.0; kernels * positions];
        for position in 0..positions {
            self.shape.fill_patch(input, position, &mut patch);
            let mut sums = self.bias.clone();
            for (&x, row) in patch.iter().zip(self.weight.chunks_exact(kernels)) {
                if x != 0.0 {
                    sums.iter_mut().zip(row).for_each(|(sum, w)| *sum += x * w);
                }
            }
            for (kernel, sum) in sums.into_iter().enumerate() {
                output[kernel * positions + position] = if self.relu { sum.max(0.0) } else { sum };
            }
        }
        output
    }
}

/// Index of the largest value, the first of equal ones; 0 if there are none.
pub fn argmax<T: PartialOrd>(values: &[T]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> (Network, Weights) {
        let network = toml::from_str(
            "name = \"n\"\ninput = { channels = 1, height = 2, width = 2, scale = 0.5, bits = 4 }\n\
             [[layers]]\nname = \"a\"\nkind = \"conv\"\nout = 2\nkernel = 1\nrelu = true\n\
             [[layers]]\nname = \"b\"\nkind = \"linear\"\nout = 2\nrelu = false\n",
        )
        .unwrap();
        let a = LayerWeights { weight: vec![1.0, -2.0], bias: vec![0.5, 4.0] };
        let b = LayerWeights { weight: (0..16u8).map(f32::from).collect(), bias: vec![0.0, -1000.0] };
        (network, Weights { layers: vec![a, b] })
    }

    #[test]
    fn layers_run_in_order_with_bias_scale_and_relu() {
        let (network, weights) = network();
        let float = FloatNetwork::new(&network, &weights).unwrap();
        let outputs = float.activations(&[0, 1, 2, 8]).unwrap();
        assert_eq!(outputs[0], [0.5, 1.0, 1.5, 4.5, 4.0, 3.0, 2.0, 0.0]);
        let scores: Vec<f64> = [0.0, 8.0]
            .iter()
            .zip([0.0, -1000.0])
            .map(|(start, bias)| bias + outputs[0].iter().enumerate().map(|(i, x)| x * (start + i as f64)).sum::<f64>())
            .collect();
        assert_eq!(outputs[1], scores);
        let images = [vec![0, 1, 2, 8], vec![1; 4]];
        assert_eq!(float.accuracy(&images, &[0, 1]).unwrap(), 0.5);
    }

    #[test]
    fn images_of_another_size_are_refused() {
        let (network, weights) = network();
        let error = FloatNetwork::new(&network, &weights).unwrap().activations(&[0; 3]).unwrap_err().to_string();
        assert!(error.contains("3 pixels, and the network takes 4"), "{error}");
    }

    #[test]
    fn weights_of_another_network_are_refused() {
        let (network, mut weights) = network();
        weights.layers[1].bias.pop();
        let error = FloatNetwork::new(&network, &weights).unwrap_err().to_string();
        assert!(error.contains("at:    network n") && error.contains("fix:"), "{error}");
    }

    #[test]
    fn the_first_of_equal_scores_is_the_largest() {
        assert_eq!(argmax(&[1, 3, 3, 2]), 1);
        assert_eq!(argmax::<i64>(&[]), 0);
    }
}
