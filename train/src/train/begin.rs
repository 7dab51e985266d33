//! How a training begins: random float weights, coefficients fitted to float weights, or trained ones for one chip.

use basisn_arch::{ChipConfig, Geometry};
use basisn_compiler as compiler;
use basisn_compiler::{Dataset, Fitted, Graph, pixels};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{BasisOptions, Training};
use crate::Error;
use crate::adc::Levels;
use crate::basis_model::{SCALE_MIN, fitted_model, ideal_levels};
use crate::data::{Augmentation, Batcher, split_validation};
use crate::model::Model;
use crate::options::Options;
use crate::parameter::{Parameter, Role};

/// A float network is for no chip.
const NO_CHIP: Geometry = Geometry { tiles: 1, rows: 0, columns: 0, cell_bits: 1, lanes: 0, adc_bits: 0 };

impl<'a> Training<'a> {
    /// A float network with random weights.
    ///
    /// # Errors
    /// An option is out of range, or network and dataset don't fit together.
    pub fn float(graph: &Graph, dataset: &'a Dataset, options: Options) -> Result<Self, Error> {
        options.check()?;
        dataset.check_fits(graph)?;
        let device = options.backend.device()?;
        let mut rng = StdRng::seed_from_u64(options.seed);
        let (model, parameters) = Model::float(graph, &mut rng, &device)?;
        let split = split_validation(dataset, options.validation_share, &mut rng);
        if split.fit.is_empty() {
            let cause = format!("{}; leaves no image to train on", options.validation_share);
            return Err(Error::Options { at: "--validation-share", cause });
        }
        let order = split.fit.clone();
        let augmentation = Augmentation { shift: options.shift, flip: options.flip };
        let batcher = Batcher::new(dataset, graph, augmentation);
        Ok(Training {
            graph: graph.clone(),
            model,
            parameters,
            split,
            options,
            basis: None,
            levels: Vec::new(),
            template: None,
            epochs: Vec::new(),
            best: None,
            has_start: false,
            dataset,
            batcher,
            teacher: None,
            geometry: NO_CHIP,
            rng,
            order,
            device,
        })
    }

    /// A network of coefficients, fitted to trained float weights, which also teach; batch norms are folded first, see
    /// [`compiler::Model::folded`]. The same seed gives the same validation images as float training, of networks without batch norm.
    ///
    /// # Errors
    /// As [`Training::float`], or the network does not fit the chip.
    pub fn basis(
        float: &compiler::Model,
        dataset: &'a Dataset,
        config: &ChipConfig,
        basis: BasisOptions,
        options: Options,
    ) -> Result<Self, Error> {
        basis.penalties.check()?;
        let folded = float.clone().folded();
        let mut training = Training::float(&folded.graph, dataset, options)?;
        for parameter in &mut training.parameters {
            let (node, part) = parameter.name.rsplit_once('.').unwrap_or_default();
            let values = folded.parameters.values(node, part).to_vec();
            *parameter = Parameter::new(parameter.name.clone(), parameter.role, values, &training.device);
        }
        let images = pixels(dataset, &training.split.fit);
        let (model, parameters, template) = fitted_model(&folded, &images, config, &basis.coding, &training.device)?;
        let teacher = std::mem::replace(&mut training.model, model);
        let frozen = std::mem::replace(&mut training.parameters, parameters);
        training.teacher = Some((teacher, frozen.into_iter().map(|parameter| parameter.value).collect()));
        training.template = Some(template);
        training.levels = vec![ideal_levels(config)];
        if basis.basis_every.is_some() {
            let cells = training.levels[0].values.clone();
            training.parameters.push(Parameter::new("basis.cells".into(), Role::Cell, cells, &training.device));
        }
        training.basis = Some(basis);
        training.geometry = Geometry::from(config);
        Ok(training)
    }

    /// Goes on from coefficients that were trained before.
    ///
    /// # Errors
    /// They are not those of this network, form and sharing.
    pub fn start_from(&mut self, fitted: &Fitted, at: &str) -> Result<(), Error> {
        let refuse = |cause: String| Error::Start { at: at.into(), cause };
        if let ([basis], [levels]) = (fitted.bases.as_slice(), self.levels.as_mut_slice()) {
            if basis.levels.len() != levels.values.len() {
                return Err(refuse(format!("its basis has {} rows and {} columns", basis.rows, basis.columns)));
            }
            levels.values = basis.levels.iter().map(|&level| f32::from(level)).collect();
            let cells = levels.values.clone();
            if let Some(place) = self.cells() {
                self.parameters[place] = Parameter::new("basis.cells".into(), Role::Cell, cells, &self.device);
            }
            if let Some(template) = &mut self.template {
                template.bases = fitted.bases.clone();
            }
        }
        if fitted.bases.len() != 1 || fitted.layers.len() != self.model.layers.len() {
            return Err(refuse(format!("it has {} layers and {} bases", fitted.layers.len(), fitted.bases.len())));
        }
        for (layer, own) in fitted.layers.iter().zip(&mut self.model.layers) {
            let Some(basis) = &mut own.basis else { continue };
            let latents: Vec<f32> = layer.coefficients.iter().map(|&c| f32::from(c)).collect();
            let fits = layer.shape == own.shape && latents.len() == basis.rule.len() && layer.code == basis.rule.code;
            if !fits || basis.rule.apply(&latents).values != latents {
                let cause =
                    format!("layer {} has another shape, or coefficients of another form or sharing", layer.name);
                return Err(refuse(cause));
            }
            (basis.input, basis.output, basis.range, basis.gain) = (layer.input, layer.output, layer.range, layer.gain);
            let logs = layer.scale.iter().map(|scale| scale.max(SCALE_MIN).ln() as f32).collect();
            let bias = layer.bias.iter().map(|&bias| bias as f32).collect();
            let places = [Some(own.weight), own.bias, Some(basis.log_scale)];
            for (place, values) in places.into_iter().zip([latents, bias, logs]) {
                let Some(place) = place else { continue };
                let parameter = &mut self.parameters[place];
                *parameter = Parameter::new(parameter.name.clone(), parameter.role, values, &self.device);
            }
        }
        self.has_start = true;
        Ok(())
    }

    /// Trains for one chip: `crossbars` are the levels read back from its tiles, `tiles` the tile of every kernel, layer by layer.
    pub fn refit_on(&mut self, crossbars: Vec<Levels>, tiles: Vec<Vec<usize>>) {
        for (layer, tiles) in self.model.layers.iter_mut().zip(tiles) {
            if let Some(basis) = &mut layer.basis {
                basis.tiles = tiles;
            }
        }
        self.levels = crossbars;
    }
}
