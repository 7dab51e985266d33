//! Columns offered again, one at a time, with all others as they are.

use super::group::Group;
use super::offer::Offer;

impl Group<'_> {
    /// Offers every column again to all kernels, with all others as they are.
    pub(super) fn improve(&mut self, s: usize) {
        let metric = self.metric(s);
        let start = s * self.columns;
        let mut owned: Vec<usize> = self
            .kernels
            .iter()
            .map(|k| k.coefficients[start..start + self.columns].iter().filter(|c| **c != 0.0).count())
            .collect();
        for column in 0..self.columns {
            let (norm, reciprocal) = (metric.norms()[column], metric.reciprocals()[column]);
            let owner = self.kernels.iter().position(|k| k.coefficients[start + column] != 0.0);
            let mut best = (0.0, None, 0.0);
            for (i, kernel) in
                self.kernels.iter().enumerate().filter(|(i, _)| Some(*i) == owner || owned[*i] < self.quota)
            {
                let left = kernel.left[start + column] + kernel.coefficients[start + column] * norm;
                let offer = Offer::of(self.code, column, left, norm, reciprocal);
                let gain = kernel.weight() * f64::from(offer.gain);
                if gain > best.0 {
                    best = (gain, Some(i), offer.coefficient);
                }
            }
            let (_, winner, c) = best;
            if let Some(i) = owner.filter(|i| Some(*i) != winner) {
                owned[i] -= 1;
                self.change(i, s, column, -self.kernels[i].coefficients[start + column]);
            }
            if let Some(i) = winner {
                owned[i] += usize::from(winner != owner);
                self.change(i, s, column, c - self.kernels[i].coefficients[start + column]);
            }
        }
    }

    /// Takes every column from its kernel in turn, and gives the kernel the column that is now best, often the same one.
    pub(super) fn choose_others(&mut self, s: usize) {
        let place = s * self.columns..(s + 1) * self.columns;
        let metric = self.metric(s);
        // Columns that are taken have no reciprocal.
        let coefficients = &self.kernels[0].coefficients[place.clone()];
        let free = |(c, reciprocal): (&f32, &f32)| if *c == 0.0 { *reciprocal } else { 0.0 };
        let mut reciprocals: Vec<f32> = coefficients.iter().zip(metric.reciprocals()).map(free).collect();
        // What is left without the column; the kernel changes only if another column or coefficient is better.
        let mut without = vec![0.0; self.columns];
        for column in 0..self.columns {
            let kernel = &mut self.kernels[0];
            let before = kernel.coefficients[place.start + column];
            if before == 0.0 {
                continue;
            }
            for ((without, left), g) in without.iter_mut().zip(&kernel.left[place.clone()]).zip(metric.gram(column)) {
                *without = left + before * g;
            }
            reciprocals[column] = metric.reciprocals()[column];
            let best = Offer::best(self.code, &without, metric.norms(), &reciprocals);
            if best.gain > 0.0 {
                reciprocals[best.column] = 0.0;
            }
            if (best.column, best.coefficient) != (column, before) {
                kernel.coefficients[place.start + column] = 0.0;
                kernel.left[place.clone()].copy_from_slice(&without);
                self.change(0, s, best.column, best.coefficient);
            }
        }
    }
}
