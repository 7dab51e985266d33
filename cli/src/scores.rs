//! Class scores: which classes lead, and how often the label is among them.

use basisn_compiler::float::argmax;
use basisn_compiler::images::rank;
use serde::Serialize;

/// Classes of an image that are shown.
pub const SHOWN: usize = 5;

/// What the scores of some images say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Of every image the classes with the largest scores, at most [`SHOWN`], the largest first.
    pub classes: Vec<Vec<usize>>,
    /// Share of images whose label has the largest score; of equal scores the first counts.
    pub top_1: Option<f64>,
    /// Share of images whose label is among the five largest.
    pub top_5: Option<f64>,
}

impl Scores {
    /// Of the outputs of a network, one for every image.
    pub fn new<T: PartialOrd, L: Copy + Into<usize>>(outputs: &[&[T]], labels: Option<&[L]>) -> Self {
        Scores {
            classes: outputs.iter().map(|scores| leading(scores)).collect(),
            top_1: labels.map(|labels| within(outputs, labels, 1)),
            top_5: labels.map(|labels| within(outputs, labels, 5)),
        }
    }
}

fn leading<T: PartialOrd>(scores: &[T]) -> Vec<usize> {
    let mut ranked: Vec<(usize, usize)> =
        (0..scores.len()).filter_map(|class| Some((rank(scores, class)?, class))).collect();
    ranked.retain(|(rank, _)| *rank < SHOWN);
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, class)| class).collect()
}

fn within<T: PartialOrd, L: Copy + Into<usize>>(outputs: &[&[T]], labels: &[L], places: usize) -> f64 {
    let right = |(scores, label): (&&[T], &L)| rank(scores, (*label).into()).is_some_and(|rank| rank < places);
    outputs.iter().zip(labels).filter(|pair| right(*pair)).count() as f64 / labels.len().max(1) as f64
}

/// Share of images whose largest output is at the label.
pub fn accuracy<'a, L: Copy + Into<usize>>(outputs: impl IntoIterator<Item = &'a [i64]>, labels: &[L]) -> f64 {
    within(&outputs.into_iter().collect::<Vec<_>>(), labels, 1)
}

/// Share of images with the same leading class.
pub fn agreement<A: PartialOrd, B: PartialOrd>(outputs: &[impl AsRef<[A]>], others: &[impl AsRef<[B]>]) -> f64 {
    let same = outputs.iter().zip(others).filter(|(a, b)| argmax(a.as_ref()) == argmax(b.as_ref())).count();
    same as f64 / outputs.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_classes_and_shares_count_ties_once() {
        let outputs: [&[i64]; 2] = [&[1, 7, 7, 3, 2, 0, 5], &[9, 1, 1]];
        let scores = Scores::new(&outputs, Some(&[2u16, 1]));
        assert_eq!(scores.classes, [vec![1, 2, 6, 3, 4], vec![0, 1, 2]]);
        assert_eq!((scores.top_1, scores.top_5), (Some(0.0), Some(1.0)));
        assert_eq!(Scores::new(&outputs, Some(&[5u16, 0])).top_5, Some(0.5));
        assert_eq!(Scores::new::<i64, u16>(&outputs, None).top_1, None);
        assert_eq!(agreement(&outputs, &[&[0.0, 1.0][..], &[0.0, 1.0]]), 0.5);
    }
}
