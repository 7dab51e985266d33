//! What the evaluation assumes of conversions and activations, measured on the digits network with 8-bit weights: the conversion width that it grants
//! reprogramming is what the network needs, and its shares of ones and of zero planes are those of the constants.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use basisn_arch::Geometry;
use basisn_evaluate::Constants;
use basisn_evaluate::reprogram::needed_adc_bits;
use basisn_models::IdealMacro;
use basisn_models::im2col::{Patches, wordlines};
use support::{Digits, class, digits};

/// Share of the images that a network with 8-bit weights in cells of `cell_bits` bits and conversions of `adc_bits` bits gets right.
fn accuracy(digits: &Digits, images: usize, cell_bits: usize, adc_bits: usize, gain: u32) -> f64 {
    let slices = 7usize.div_ceil(cell_bits);
    let geometry = Geometry { tiles: 1, rows: 64, columns: 64, cell_bits: cell_bits + 1, lanes: 64, adc_bits };
    let mut activations: Vec<Vec<i32>> = digits.images[..images].to_vec();
    for layer in &digits.layers {
        let cut = basisn_arch::Subvectors::new(layer.depth(), geometry.rows);
        let positions = layer.shape.positions();
        let patches: Vec<_> = activations.iter().map(|x| Patches::new(&layer.shape, cut, x)).collect();
        let mut products = vec![vec![0i64; layer.shape.kernels * positions]; images];
        let columns: Vec<(usize, usize)> =
            (0..layer.shape.kernels).flat_map(|k| (0..slices).map(move |slice| (k, slice))).collect();
        for columns in columns.chunks(geometry.columns) {
            for s in 0..cut.count {
                let mut crossbar = IdealMacro::new(geometry);
                for row in 0..cut.length {
                    for (column, &(kernel, slice)) in columns.iter().enumerate() {
                        let level = layer.level(kernel, s * cut.length + row, slice, cell_bits);
                        crossbar.program(row, column, i32::from(level));
                    }
                }
                crossbar.set_switches(&(1..=64).collect::<Vec<i8>>());
                let mut codes = vec![0; geometry.lanes];
                for (patches, products) in patches.iter().zip(&mut products) {
                    for position in 0..positions {
                        for plane in 0..layer.input_bits {
                            crossbar.read(&wordlines(patches.subvector(position, s), plane), gain, &mut codes);
                            for (&(kernel, slice), &code) in columns.iter().zip(&codes) {
                                let weight = plane + gain as usize + slice * cell_bits;
                                products[kernel * positions + position] += i64::from(code) << weight;
                            }
                        }
                    }
                }
            }
        }
        activations = products.iter().map(|p| layer.next(p)).collect();
    }
    let right = activations.iter().zip(&digits.labels).filter(|(y, label)| class(y) == usize::from(**label)).count();
    right as f64 / images as f64
}

#[test]
fn reprogramming_gets_the_conversions_that_it_needs() {
    let digits = digits();
    let images = 300;
    let exact = accuracy(&digits, images, 4, 12, 0);
    for cell_bits in [2, 4] {
        let bits = needed_adc_bits(cell_bits, 64);
        let best = |bits| (0..=2).map(|gain| accuracy(&digits, images, cell_bits, bits, gain)).fold(0.0, f64::max);
        let (granted, fewer) = (best(bits), best(bits - 2));
        println!(
            "{cell_bits}-bit cells, {bits}-bit conversions: {granted:.4}, two bits fewer {fewer:.4}, exact {exact:.4}"
        );
        assert!(granted >= exact - 0.002, "{cell_bits}-bit cells with {bits} bits: {granted}, exact {exact}");
        assert!(fewer < exact - 0.002, "{cell_bits}-bit cells: {fewer} with two bits fewer, exact {exact}");
    }
}

#[test]
fn shares_of_ones_and_of_zero_planes_are_those_of_the_constants() {
    let digits = digits();
    let (mut ones, mut bits, mut zero, mut planes) = (0u64, 0u64, 0u64, 0u64);
    for image in &digits.images[..100] {
        let mut input = image.clone();
        for layer in &digits.layers {
            let cut = basisn_arch::Subvectors::new(layer.depth(), 64);
            let patches = Patches::new(&layer.shape, cut, &input);
            for position in 0..layer.shape.positions() {
                for s in 0..cut.count {
                    for plane in 0..layer.input_bits {
                        let on: u32 =
                            wordlines(patches.subvector(position, s), plane).iter().map(|w| w.count_ones()).sum();
                        (ones, bits) = (ones + u64::from(on), bits + cut.length as u64);
                        (zero, planes) = (zero + u64::from(on == 0), planes + 1);
                    }
                }
            }
            input = layer.next(&layer.exact(&input));
        }
    }
    let [ones, zero] = [ones as f64 / bits as f64, zero as f64 / planes as f64];
    println!("ones {ones:.3}, zero planes {zero:.3}");
    let constants = Constants::built_in().unwrap();
    assert!((constants.values().ones_share - ones).abs() < 0.02, "ones {ones}");
    assert!((constants.values().zero_planes_share - zero).abs() < 0.02, "zero planes {zero}");
}
