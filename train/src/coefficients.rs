//! From latents to coefficients: which columns a kernel owns, and with what integer.
//!
//! Plain loops over plain arrays: training, export and tests share them, and they cost nothing beside a convolution.

use basisn_compiler::coefficient::CoefficientCode;

/// What limits the coefficients of a subvector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Nothing: every kernel uses every column.
    Dense,
    /// Every kernel keeps so many of the largest latents, whatever other kernels do.
    Nonzeros(usize),
    /// Winner takes all: in every subvector a column belongs to the kernel of the group with the largest latent.
    /// Every kernel is in one group.
    Groups(Vec<Vec<usize>>),
}

/// How the latents `[kernel][subvector][column]` of a layer become coefficients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Kernels K.
    pub kernels: usize,
    /// Subvectors S.
    pub subvectors: usize,
    /// Columns C.
    pub columns: usize,
    /// Integers that a coefficient can be.
    pub code: CoefficientCode,
    /// Which of them may differ from zero.
    pub limit: Limit,
}

/// Coefficients, in the order of the latents.
#[derive(Clone, Debug, PartialEq)]
pub struct Coefficients {
    /// Integers.
    pub values: Vec<f32>,
    /// Whether the limit lets the kernel use the column.
    pub owned: Vec<bool>,
}

impl Rule {
    /// Number of latents.
    pub fn len(&self) -> usize {
        self.kernels * self.width()
    }

    /// Whether there are no latents.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn width(&self) -> usize {
        self.subvectors * self.columns
    }

    /// The coefficients of `latents`. Of equal latents the first kernel, or column, wins.
    pub fn apply(&self, latents: &[f32]) -> Coefficients {
        let owned = self.owned(latents);
        let value = |(&latent, &owned): (&f32, &bool)| {
            if owned { self.code.nearest(latent) } else { 0.0 }
        };
        Coefficients { values: latents.iter().zip(&owned).map(value).collect(), owned }
    }

    fn owned(&self, latents: &[f32]) -> Vec<bool> {
        let mut owned = vec![false; latents.len()];
        let width = self.width();
        match &self.limit {
            Limit::Dense => owned.fill(true),
            Limit::Nonzeros(most) => {
                let mut order: Vec<usize> = Vec::with_capacity(self.columns);
                for (latents, owned) in latents.chunks(self.columns).zip(owned.chunks_mut(self.columns)) {
                    order.clear();
                    order.extend(0..self.columns);
                    // Stable: of equal latents the first column comes first.
                    order.sort_by(|&a, &b| latents[b].abs().total_cmp(&latents[a].abs()));
                    order.iter().take(*most).for_each(|&column| owned[column] = true);
                }
            }
            Limit::Groups(groups) => {
                for group in groups {
                    for place in 0..width {
                        let size = |kernel: usize| latents[kernel * width + place].abs();
                        let winner =
                            group.iter().copied().reduce(|best, k| if size(k) > size(best) { k } else { best });
                        winner.into_iter().for_each(|kernel| owned[kernel * width + place] = true);
                    }
                }
            }
        }
        owned
    }

    /// Contests: how many times a kernel would use a column, by its latent, that another one owns.
    pub fn contests(&self, latents: &[f32], coefficients: &Coefficients) -> usize {
        let wants = |latent: f32| self.code.nearest(latent) != 0.0;
        match self.limit {
            Limit::Groups(_) => {
                latents.iter().zip(&coefficients.owned).filter(|&(&latent, &owned)| !owned && wants(latent)).count()
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(limit: Limit) -> Rule {
        Rule { kernels: 2, subvectors: 2, columns: 3, code: CoefficientCode::TERNARY, limit }
    }

    const LATENTS: [f32; 12] = [0.9, -0.6, 0.2, 0.4, -0.7, 0.6, -0.8, -0.7, 0.1, 0.6, 0.7, -2.0];

    #[test]
    fn the_winner_takes_the_column_and_the_first_of_equals_wins() {
        let rule = rule(Limit::Groups(vec![vec![0, 1]]));
        let found = rule.apply(&LATENTS);
        assert_eq!(found.values, [1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, -1.0, 0.0, 1.0, 0.0, -1.0]);
        let both = found.owned[..6].iter().zip(&found.owned[6..]).filter(|(a, b)| *a == *b).count();
        assert_eq!(both, 0, "exactly one owner of every column");
        // Lost although wanted: kernel 0 column 1 of subvector 0 and column 2 of subvector 1; kernel 1 columns 0 and 1 of them.
        assert_eq!(rule.contests(&LATENTS, &found), 4);
    }

    #[test]
    fn kernels_of_different_groups_do_not_compete() {
        let alone = rule(Limit::Groups(vec![vec![1], vec![0]])).apply(&LATENTS);
        assert_eq!(alone, rule(Limit::Dense).apply(&LATENTS));
        assert_eq!(alone.values[10], 1.0);
    }

    #[test]
    fn the_largest_are_kept() {
        let found = rule(Limit::Nonzeros(1)).apply(&LATENTS);
        assert_eq!(found.values, [1.0, 0.0, 0.0, 0.0, -1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -1.0]);
        let planes = Rule { code: CoefficientCode::csd(3), ..rule(Limit::Nonzeros(3)) };
        assert_eq!(planes.apply(&LATENTS).values[11], -2.0);
    }
}
