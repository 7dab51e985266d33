//! Groups and planes layer by layer, for a number of cycles or an accuracy: a greedy walk by measured sensitivity.
//!
//! Measured are, for every layer and choice, its clock cycles by the cycle model, and the loss on watched images of the network in which only
//! that layer has the choice and all others have the most exact one, as fitted, before any training. The walk starts with the most exact
//! choices and takes, again and again, the step that loses least for every cycle that it saves.

use basisn_arch::ChipConfig;
use basisn_compiler::coefficient::CoefficientCode;
use basisn_compiler::{Dataset, Model, ScheduleOptions, lower};

use crate::Error;
use crate::basis_model::{Coding, Sharing};
use crate::export;
use crate::options::Options;
use crate::plan::{Choice, Plan, code_name};
use crate::train::{BasisOptions, Epoch, Training, Watch};

/// Sizes of groups that are tried, as far as a crossbar has lanes for them.
const GROUPS: [usize; 5] = [1, 2, 4, 8, 16];
/// Coefficient planes that are tried.
const PLANES: std::ops::RangeInclusive<usize> = 1..=3;
/// Images that sensitivity is measured on, at most.
const IMAGES: usize = 200;

/// What every choice costs every layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensitivity {
    /// Names of the layers.
    pub layers: Vec<String>,
    /// What a layer may have.
    pub choices: Vec<Choice>,
    /// Clock cycles, `[layer][choice]`.
    pub cycles: Vec<Vec<u64>>,
    /// Loss of the network, `[layer][choice]`.
    pub loss: Vec<Vec<f64>>,
}

/// A point of the walk.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Number of the choice of every layer.
    pub chosen: Vec<usize>,
    /// Clock cycles of all layers.
    pub cycles: u64,
}

/// Everything that a training starts from.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// Float network.
    pub float: &'a Model,
    /// Images.
    pub dataset: &'a Dataset,
    /// Chip.
    pub config: &'a ChipConfig,
    /// Coefficients; the plan and the choice are what is searched.
    pub basis: &'a BasisOptions,
    /// Training.
    pub options: &'a Options,
}

impl<'a> Task<'a> {
    /// The training with a choice for all layers and a plan for some.
    fn begin(&self, choice: Choice, plan: Plan, options: Options) -> Result<Training<'a>, Error> {
        let coding = Coding { choice, plan, ..self.basis.coding.clone() };
        Training::basis(self.float, self.dataset, self.config, BasisOptions { coding, ..self.basis.clone() }, options)
    }

    /// Measures every choice of every layer.
    ///
    /// # Errors
    /// Network, images and chip don't fit together, or the framework fails.
    pub fn measure(&self) -> Result<Sensitivity, Error> {
        let sizes = GROUPS.into_iter().filter(|&size| size == 1 || size <= self.config.lanes());
        let choices: Vec<Choice> = sizes
            .flat_map(|size| PLANES.map(move |planes| (size, planes)))
            .map(|(size, planes)| Choice { code: CoefficientCode::csd(planes), sharing: Sharing::Groups(size) })
            .collect();
        let mut trainings = Vec::new();
        let mut cycles = Vec::new();
        for &choice in &choices {
            let training = self.begin(choice, Plan::default(), self.options.clone())?;
            let fitted = export::fitted(&training, self.float)?;
            let report = lower(&fitted, self.config, ScheduleOptions::default())?.report;
            cycles.push(report.layers.iter().map(|layer| layer.cycles).collect::<Vec<u64>>());
            let error: f64 = fitted.layers.iter().map(|layer| layer.weight_error).sum();
            trainings.push((error, training));
        }
        let exact = (0..choices.len()).min_by(|&a, &b| trainings[a].0.total_cmp(&trainings[b].0)).unwrap_or(0);
        let mut reference = self.begin(choices[exact], Plan::default(), self.options.clone())?;
        let layers: Vec<String> = reference.model.layers.iter().map(|layer| layer.name.clone()).collect();
        let watched =
            if reference.split.validation.is_empty() { &reference.split.fit } else { &reference.split.validation };
        let images: Vec<usize> =
            (0..IMAGES.min(watched.len())).map(|i| watched[i * watched.len() / IMAGES.min(watched.len())]).collect();
        let base = reference.score(&images, false)?.loss;
        let mut loss = vec![vec![base; choices.len()]; layers.len()];
        for (choice, (_, training)) in trainings.iter_mut().enumerate().filter(|(choice, _)| *choice != exact) {
            for (layer, losses) in loss.iter_mut().enumerate() {
                exchange(&mut reference, training, layer);
                losses[choice] = reference.score(&images, false)?.loss;
                exchange(&mut reference, training, layer);
            }
        }
        let cycles = (0..layers.len()).map(|layer| cycles.iter().map(|of| of[layer]).collect()).collect();
        Ok(Sensitivity { layers, choices, cycles, loss })
    }

    /// The accuracy on watched images after a short training of a point.
    ///
    /// # Errors
    /// As training.
    pub fn try_out(&self, sensitivity: &Sensitivity, point: &Point, epochs: usize) -> Result<f64, Error> {
        let adc_epochs = self.basis.adc_epochs.min(1);
        let basis = BasisOptions { adc_epochs, ..self.basis.clone() };
        let options = Options { epochs, warm_up: 0, patience: None, ..self.options.clone() };
        let mut training =
            Task { basis: &basis, ..*self }.begin(basis.coding.choice, sensitivity.plan(point), options)?;
        training.run(&mut Silent)?;
        training.finish()?;
        Ok(training.score(&training.split.validation, true)?.accuracy())
    }

    /// The cheapest point whose accuracy on watched images, after a short training, is at least `target`; by bisection, so it relies on
    /// accuracy falling along the walk.
    ///
    /// # Errors
    /// As training; there are no watched images; or even the most exact choices are worse.
    pub fn reach(&self, sensitivity: &Sensitivity, target: f64, epochs: usize) -> Result<Point, Error> {
        if self.options.validation_share == 0.0 {
            let cause = "0; --target-accuracy needs validation images".into();
            return Err(Error::Options { at: "--validation-share", cause });
        }
        let walk = sensitivity.walk();
        let first = self.try_out(sensitivity, &walk[0], epochs)?;
        if first < target {
            let cause = format!("{target}; the most exact choices reach {first:.4} in {epochs} epochs");
            return Err(Error::Options { at: "--target-accuracy", cause });
        }
        let (mut good, mut bad) = (0, walk.len());
        while good + 1 < bad {
            let middle = (good + bad) / 2;
            if self.try_out(sensitivity, &walk[middle], epochs)? >= target { good = middle } else { bad = middle }
        }
        Ok(walk[good].clone())
    }
}

impl Sensitivity {
    /// The walk, from the most exact choices to the cheapest.
    pub fn walk(&self) -> Vec<Point> {
        let best = |layer: usize| {
            let key = |&choice: &usize| (self.loss[layer][choice], self.cycles[layer][choice]);
            (0..self.choices.len())
                .min_by(|a, b| key(a).0.total_cmp(&key(b).0).then(key(a).1.cmp(&key(b).1)))
                .unwrap_or(0)
        };
        let mut chosen: Vec<usize> = (0..self.layers.len()).map(best).collect();
        let mut walk = Vec::new();
        loop {
            let cycles = chosen.iter().enumerate().map(|(layer, &choice)| self.cycles[layer][choice]).sum();
            walk.push(Point { chosen: chosen.clone(), cycles });
            let steps =
                (0..self.layers.len()).flat_map(|layer| (0..self.choices.len()).map(move |choice| (layer, choice)));
            let price = |&(layer, choice): &(usize, usize)| {
                let (loss, cycles) = (&self.loss[layer], &self.cycles[layer]);
                let saved = cycles[chosen[layer]].checked_sub(cycles[choice]).filter(|saved| *saved > 0)?;
                Some((loss[choice] - loss[chosen[layer]]) / saved as f64)
            };
            let step = steps.filter_map(|step| Some((price(&step)?, step))).min_by(|a, b| a.0.total_cmp(&b.0));
            let Some((_, (layer, choice))) = step else { return walk };
            chosen[layer] = choice;
        }
    }

    /// The first point of the walk that takes at most so many cycles.
    ///
    /// # Errors
    /// There is none.
    pub fn within(&self, cycles: u64) -> Result<Point, Error> {
        let walk = self.walk();
        let fewest = walk.last().map_or(0, |point| point.cycles);
        let found = walk.into_iter().find(|point| point.cycles <= cycles);
        let cause = || format!("{cycles}; the cheapest choices take {fewest}");
        found.ok_or_else(|| Error::Options { at: "--target-cycles", cause: cause() })
    }

    /// The measured numbers as CSV.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("layer,groups,coefficients,cycles,loss\n");
        for (layer, name) in self.layers.iter().enumerate() {
            for (number, choice) in self.choices.iter().enumerate() {
                let Sharing::Groups(size) = choice.sharing else { continue };
                let (cycles, loss) = (self.cycles[layer][number], self.loss[layer][number]);
                text.push_str(&format!("{name},{size},{},{cycles},{loss}\n", code_name(choice.code)));
            }
        }
        text
    }

    /// A point as a plan.
    pub fn plan(&self, point: &Point) -> Plan {
        Plan::new(self.layers.iter().cloned().zip(point.chosen.iter().map(|&choice| self.choices[choice])))
    }
}

/// Exchanges a layer with its parameters between two trainings of the same network.
fn exchange(a: &mut Training, b: &mut Training, layer: usize) {
    std::mem::swap(&mut a.model.layers[layer], &mut b.model.layers[layer]);
    let own = &a.model.layers[layer];
    let places = [Some(own.weight), own.bias, own.basis.as_ref().map(|basis| basis.log_scale)];
    for place in places.into_iter().flatten() {
        std::mem::swap(&mut a.parameters[place], &mut b.parameters[place]);
    }
}

/// Nobody looks on.
struct Silent;

impl Watch for Silent {
    fn step(&mut self, _: usize, _: usize, _: f64) {}

    fn epoch(&mut self, _: &Training, _: &Epoch) -> Result<(), Error> {
        Ok(())
    }

    fn stop(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two layers, three choices.
    fn sensitivity() -> Sensitivity {
        let choice = |size| Choice { code: CoefficientCode::TERNARY, sharing: Sharing::Groups(size) };
        Sensitivity {
            layers: vec!["a".into(), "b".into()],
            choices: [1, 2, 4].map(choice).to_vec(),
            cycles: vec![vec![100, 50, 25], vec![40, 20, 20]],
            loss: vec![vec![1.0, 1.5, 3.0], vec![1.0, 1.1, 1.2]],
        }
    }

    #[test]
    fn the_walk_takes_the_cheapest_loss_for_every_cycle_first() {
        let walk: Vec<(Vec<usize>, u64)> = sensitivity().walk().into_iter().map(|p| (p.chosen, p.cycles)).collect();
        // Prices: a to 2: 0.5 / 50, a to 4: 2 / 75, b to 2: 0.1 / 20; then a to 2; then a from 2 to 4.
        assert_eq!(walk, [(vec![0, 0], 140), (vec![0, 1], 120), (vec![1, 1], 70), (vec![2, 1], 45)]);
    }

    #[test]
    fn a_number_of_cycles_is_met_or_refused_with_the_fewest() {
        let table = sensitivity();
        assert_eq!(table.within(100).unwrap().chosen, [1, 1]);
        assert_eq!(table.plan(&table.within(100).unwrap()).of("a").unwrap().sharing, Sharing::Groups(2));
        assert_eq!(table.to_csv().lines().nth(2), Some("a,2,ternary,50,1.5"));
        let error = table.within(44).unwrap_err().to_string();
        assert!(error.contains("--target-cycles") && error.contains("the cheapest choices take 45"), "{error}");
    }
}
