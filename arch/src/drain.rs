//! The drain's beats: W tiles at once, and where that leaves the parameters of their kernels.

use crate::ChipConfig;

impl ChipConfig {
    /// Room for results in a beat of the result stream, W: so many tiles are drained at once.
    pub fn drain_width(&self) -> usize {
        self.results_per_beat().min(self.tiles().next_power_of_two())
    }

    /// Requantization pipelines: one for each tile that is drained at once.
    pub fn pipelines(&self) -> usize {
        self.drain_width().min(self.tiles())
    }

    /// Beats that drain one psum of every tile: W tiles each, the last one those that remain.
    pub fn drain_groups(&self) -> usize {
        self.tiles().div_ceil(self.drain_width())
    }

    /// Beats that drain places 0..`places` at one position.
    pub fn drain_beats(&self, places: usize) -> usize {
        places / self.tiles() * self.drain_groups() + (places % self.tiles()).div_ceil(self.drain_width())
    }

    /// Words of a pipeline's parameter memory: one for every beat that drains a position of the largest layer on all tiles.
    pub fn parameter_words(&self) -> usize {
        self.drain_beats(self.kernels())
    }

    /// Where a layer on the first `tiles` tiles has the parameter of place q: W for each beat, also where a beat has fewer results.
    pub fn parameter_place(&self, tiles: usize, q: usize) -> usize {
        let (width, row, tile) = (self.drain_width(), q / tiles, q % tiles);
        (row * tiles.div_ceil(width) + tile / width) * width + tile % width
    }

    /// Whether the parameter memories have room for `places` places on the first `tiles` tiles.
    pub fn has_parameters(&self, tiles: usize, places: usize) -> bool {
        places == 0 || self.parameter_place(tiles, places - 1) < self.parameter_words() * self.drain_width()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chip(tiles: usize, results: usize) -> ChipConfig {
        let chip = ChipConfig::load("tiny").unwrap();
        chip.with("core.tiles", tiles).and_then(|chip| chip.with("core.results_per_beat", results)).unwrap()
    }

    #[test]
    fn beats_hold_up_to_w_of_a_row_of_tiles() {
        let of = |tiles, results| {
            let chip = chip(tiles, results);
            (chip.drain_width(), chip.pipelines(), chip.drain_groups())
        };
        assert_eq!([of(1, 4), of(3, 2), of(3, 4), of(4, 4)], [(1, 1, 1), (2, 2, 2), (4, 3, 1), (4, 4, 1)]);
        assert_eq!([of(7, 4), of(8, 4), of(64, 16)], [(4, 4, 2), (4, 4, 2), (16, 16, 4)]);
        // Seven tiles, four at once: two beats for each seven places.
        assert_eq!([0, 1, 4, 5, 7, 8, 14].map(|places| chip(7, 4).drain_beats(places)), [0, 1, 1, 2, 2, 3, 4]);
    }

    #[test]
    fn every_place_has_its_parameter_in_the_beat_that_drains_it() {
        for (tiles, results) in [(1, 1), (2, 2), (3, 2), (3, 4), (5, 4), (7, 4), (8, 4)] {
            let chip = chip(tiles, results);
            for used in 1..=tiles {
                let part = chip.using(used);
                let mut before = None;
                for q in 0..40 {
                    let place = chip.parameter_place(used, q);
                    assert_eq!(place / chip.drain_width(), part.drain_beats(q + 1) - 1, "{tiles} {results} {used} {q}");
                    assert!(before < Some(place), "places rise");
                    before = Some(place);
                }
            }
            assert!(chip.has_parameters(tiles, chip.kernels()), "the largest layer fits all tiles");
            assert!(chip.has_parameters(1, 0) && !chip.has_parameters(1, chip.parameter_words() + 1));
        }
    }
}
