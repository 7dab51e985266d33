//! Damaged and hostile program images: every one of them is an error or a program that runs; none panics or takes memory that its file does not have.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use basisn_arch::{ChipConfig, Program};
use basisn_models::random::{Random, generator, random_network, seed};
use basisn_models::{NetProblem, golden};
use rand::Rng;

/// Where the header ends: eight bytes of length, then JSON.
fn header_end(image: &[u8]) -> usize {
    8 + u64::from_le_bytes(image[..8].try_into().unwrap()) as usize
}

/// Reads, checks and runs what may be damaged; tells how far it got.
fn outcome(config: &ChipConfig, bytes: &[u8], image: &[i32]) -> usize {
    let Ok(program) = Program::from_bytes(bytes) else { return 0 };
    match program.check(config) {
        Err(e) => {
            let text = e.to_string();
            assert!(
                text.contains("\n  at:    ") && text.contains("\n  cause: ") && text.contains("\n  fix:   "),
                "{text}"
            );
            1
        }
        Ok(()) => 2 + usize::from(golden::run(config, &program, image).is_ok()),
    }
}

/// Replaces a number of the header by another one of the same length, or by a letter: the header stays as long as it says.
fn change_header(rng: &mut Random, image: &mut [u8]) {
    let digits: Vec<usize> = (8..header_end(image)).filter(|&i| image[i].is_ascii_digit()).collect();
    let at = digits[rng.random_range(0..digits.len())];
    image[at] = if rng.random_bool(0.9) { b'0' + rng.random_range(0..10) } else { b'x' };
}

#[test]
fn damaged_images_are_errors() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    let config = ChipConfig::load("tiny").unwrap();
    let mut outcomes = [0; 4];
    for _ in 0..40 {
        let NetProblem { program, inputs, .. } = NetProblem::random(&mut rng, &config, 2, 1);
        let whole = program.to_bytes().unwrap();
        assert_eq!(Program::from_bytes(&whole).unwrap(), program);
        assert_eq!(outcome(&config, &whole, &inputs[0]), 3);
        for _ in 0..20 {
            let cut = rng.random_range(0..whole.len());
            assert_eq!(outcome(&config, &whole[..cut], &inputs[0]), 0, "cut at {cut}");
        }
        for _ in 0..60 {
            let mut image = whole.clone();
            for _ in 0..rng.random_range(1..=3) {
                if rng.random_bool(0.7) {
                    change_header(&mut rng, &mut image);
                } else {
                    let at = rng.random_range(header_end(&whole)..whole.len());
                    image[at] = rng.random();
                }
            }
            outcomes[outcome(&config, &image, &inputs[0])] += 1;
        }
    }
    println!("refused when read, when checked, when given the image, run: {outcomes:?}");
    assert!(outcomes[0] > 100 && outcomes[1] > 100 && outcomes[3] > 100, "{outcomes:?}");
}

#[test]
fn steps_that_lie_are_refused_with_what_is_wrong() {
    let config = ChipConfig::load("tiny").unwrap();
    let mut rng = generator(3);
    let refused = |change: &dyn Fn(&mut Program), cause: &str| {
        let mut program = random_network(&mut generator(3), &config, 3);
        program.check(&config).unwrap();
        change(&mut program);
        let text = program.check(&config).unwrap_err().to_string();
        assert!(text.contains(cause), "{cause}: {text}");
    };
    refused(&|p| p.steps[1].inputs = vec![9], "reads no value, or one that is not there");
    refused(&|p| p.steps[1].inputs = vec![], "reads no value");
    refused(&|p| p.steps[1].inputs = vec![1, 1], "and takes one");
    refused(&|p| p.steps[1].name = p.steps[0].name.clone(), "names are unique");
    refused(&|p| p.input.shape.channels += 1, "integers, and is given");
    refused(&|p| p.input.bits = 9, "9 bits");
    refused(&|p| p.layers.truncate(1), "they use");
    refused(&|p| p.steps.truncate(1), "layers");
    assert!(random_network(&mut rng, &config, 3).check(&config).is_ok());
}
