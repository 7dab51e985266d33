//! The ten networks, evaluated on the chip `isaac` with every number of crossbars.

use basisn_compiler::graph::topologies;
use basisn_evaluate::reprogram::Concessions;
use basisn_evaluate::study::Point;
use basisn_evaluate::{Chip, Constants, Report, Request, Workload, study};

/// Networks, with the time in ms that a calculation on paper gave for 64 crossbars, where there is one.
const NETWORKS: [(&str, Option<f64>); 10] = [
    ("resnet18-imagenet", Some(24.9)),
    ("resnet34-imagenet", Some(48.0)),
    ("resnet50-imagenet", Some(56.0)),
    ("densenet121-imagenet", Some(39.0)),
    ("densenet169-imagenet", Some(47.0)),
    ("resnet18-cifar100", Some(7.1)),
    ("resnet34-cifar100", None),
    ("resnet20-cifar100", Some(0.74)),
    ("densenet40-cifar100", Some(4.6)),
    ("densenet121-cifar100", None),
];

/// The first is the one of the report's single tables.
pub const CROSSBARS: [usize; 3] = [64, 16, 256];

/// A network and what it takes.
pub struct Evaluated {
    pub name: &'static str,
    pub paper_ms: Option<f64>,
    pub workload: Workload,
    pub report: Report,
}

pub fn evaluated(constants: &Constants, chip: &Chip) -> Vec<Evaluated> {
    let request = Request {
        crossbars: CROSSBARS.to_vec(),
        batches: vec![1, 64],
        write_models: constants.write_models.iter().map(|m| m.name.clone()).collect(),
        concessions: Concessions::default(),
    };
    let one = |(name, paper_ms): (&'static str, Option<f64>)| {
        let workload = Workload::from_graph(&topologies::built_in(name).unwrap(), 8);
        let report = study::evaluate(&workload, chip, "isaac", constants, &request).unwrap();
        Evaluated { name, paper_ms, workload, report }
    };
    NETWORKS.map(one).into_iter().collect()
}

impl Evaluated {
    /// What it takes on so many crossbars for so many images.
    pub fn point(&self, crossbars: usize, batch: usize) -> &Point {
        self.report.points.iter().find(|p| (p.crossbars, p.batch) == (crossbars, batch)).unwrap()
    }
}
