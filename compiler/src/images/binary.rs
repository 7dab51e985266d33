//! CIFAR and MNIST, as they are distributed.

use basisn_arch::Shape;

use super::{Normalization, Pictures};

/// Rows and columns of a CIFAR image.
const CIFAR_SIDE: usize = 32;
const CIFAR_PIXELS: usize = 3 * CIFAR_SIDE * CIFAR_SIDE;

/// CIFAR-10 records are a label and the pixels; those of CIFAR-100 a coarse label, a fine one, and the pixels.
pub(crate) fn cifar(bytes: &[u8], count: usize) -> Result<Pictures, String> {
    let labels = match [1, 2].map(|labels| bytes.len().is_multiple_of(labels + CIFAR_PIXELS)) {
        [true, false] => 1,
        [false, true] => 2,
        _ => return Err(format!("{} bytes are no whole number of CIFAR-10 or CIFAR-100 records", bytes.len())),
    };
    let records = || bytes.chunks_exact(labels + CIFAR_PIXELS).take(count);
    Ok(Pictures {
        shape: Shape::new(3, CIFAR_SIDE, CIFAR_SIDE),
        images: records().map(|record| record[labels..].to_vec()).collect(),
        labels: records().map(|record| u16::from(record[labels - 1])).collect(),
        normalization: if labels == 1 { Normalization::CIFAR10 } else { Normalization::CIFAR100 },
    })
}

/// MNIST's IDX files: a magic number and the extents, big-endian, then bytes.
pub(crate) fn mnist(images: &[u8], labels: &[u8], count: usize) -> Result<Pictures, String> {
    let [number, height, width] = extents(images, 3)?[..] else { return Err("not three extents".into()) };
    let [labelled] = extents(labels, 1)?[..] else { return Err("not one extent".into()) };
    if number != labelled {
        return Err(format!("{number} images and {labelled} labels"));
    }
    Ok(Pictures {
        shape: Shape::new(1, height, width),
        images: images[16..].chunks_exact(height * width).take(count).map(<[u8]>::to_vec).collect(),
        labels: labels[8..].iter().take(count).map(|&label| u16::from(label)).collect(),
        normalization: Normalization::MNIST,
    })
}

/// Extents of an IDX file of bytes, whose data must be complete.
fn extents(bytes: &[u8], dimensions: usize) -> Result<Vec<usize>, String> {
    let header = 4 * (1 + dimensions);
    if bytes.len() < header || bytes[..4] != [0, 0, 8, dimensions as u8] {
        return Err(format!("no IDX file of bytes in {dimensions} dimensions"));
    }
    let extents: Vec<usize> =
        bytes[4..header].as_chunks::<4>().0.iter().map(|b| u32::from_be_bytes(*b) as usize).collect();
    let size = extents.iter().try_fold(1usize, |p, &e| p.checked_mul(e));
    if size == Some(0) || size != Some(bytes.len() - header) {
        return Err(format!("{} bytes of data for extents {extents:?}", bytes.len() - header));
    }
    Ok(extents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cifar_records_have_one_label_or_two() {
        let shape = Shape::new(3, 32, 32);
        let record = |labels: &[u8], value: u8| [labels, &vec![value; CIFAR_PIXELS]].concat();
        let ten = cifar(&[record(&[7], 0), record(&[2], 255)].concat(), 9).unwrap();
        assert_eq!(ten.labels, [7, 2]);
        let numbers = ten.normalized(shape).unwrap().images;
        assert!((numbers[1][0] - (1.0 - 0.4914) / 0.2470).abs() < 1e-6);
        assert!((numbers[0][3000] - -0.4465 / 0.2616).abs() < 1e-6);
        let hundred = cifar(&[record(&[3, 99], 0), record(&[4, 11], 0)].concat(), 1).unwrap();
        assert_eq!((hundred.labels, hundred.images.len()), (vec![99], 1));
        assert!(cifar(&record(&[1], 0)[1..], 1).unwrap_err().contains("no whole number"));
        assert!(ten.normalized(Shape::new(3, 28, 28)).unwrap_err().contains("the network takes 3 x 28 x 28"));
    }

    #[test]
    fn mnist_is_read_and_checked() {
        let idx = |extents: &[u32], data: &[u8]| {
            let mut bytes = vec![0, 0, 8, extents.len() as u8];
            extents.iter().for_each(|e| bytes.extend(e.to_be_bytes()));
            [bytes, data.to_vec()].concat()
        };
        let (images, labels) = (idx(&[2, 1, 2], &[0, 255, 9, 9]), idx(&[2], &[5, 6]));
        let read = mnist(&images, &labels, 5).unwrap();
        assert_eq!((read.shape, &read.labels), (Shape::new(1, 1, 2), &vec![5, 6]));
        let numbers = read.normalized(Shape::new(1, 1, 2)).unwrap().images;
        assert!((numbers[0][1] - (1.0 - 0.1307) / 0.3081).abs() < 1e-6);
        assert!(mnist(&images, &idx(&[1], &[5]), 5).unwrap_err().contains("2 images and 1 labels"));
        assert!(mnist(&images[..19], &labels, 5).unwrap_err().contains("3 bytes of data"));
        assert!(mnist(&labels, &labels, 5).unwrap_err().contains("no IDX file"));
        assert!(read.normalized(Shape::new(1, 2, 2)).unwrap_err().contains("the images are 1 x 1 x 2"));
    }
}
