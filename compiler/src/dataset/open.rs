//! Data sets in the formats that they are distributed in, with the split that comes with them.
//!
//! | what is given | training and held-out images |
//! |---|---|
//! | a folder with `images.npy` | see [`Dataset::load`] |
//! | a folder of CIFAR's `*.bin` | `test*.bin` are held out |
//! | a folder of MNIST's `*images-idx3-ubyte` | those that begin with `t10k` or `test` are held out |
//! | a folder with `train` and `val` or `test`, each a folder of classes | as named |
//! | a folder of classes; one `*.bin`; one `*images-idx3-ubyte`; one `*images*.npy` with its `*labels*.npy` | every fifth image of a class is held out |
//! | `synthetic:CLASSES:IMAGES:SEED` | drawn, see [`synthetic`](crate::synthetic) |

use std::path::{Path, PathBuf};

use basisn_arch::Shape;
use ndarray::{Array4, Ix1};

use super::{Dataset, read, split};
use crate::graph::topologies;
use crate::images::folder::{self, entries};
use crate::images::{Pictures, binary};
use crate::synthetic::Synthetic;
use crate::{Error, Graph, Network};

impl Dataset {
    /// Reads a data set in one of the formats in the table above; pictures in folders are resized to `shape`.
    ///
    /// # Errors
    /// A file cannot be read or is damaged, the images of a set differ in shape, there are more than 256 classes, or pictures have no
    /// shape to be resized to.
    pub fn open(source: &str, shape: Option<Shape>) -> Result<Self, Error> {
        if let Some(synthetic) = Synthetic::from_name(source) {
            return Ok(synthetic?.dataset());
        }
        let path = Path::new(source);
        if path.join("images.npy").is_file() {
            return Dataset::load(path);
        }
        if !path.is_dir() {
            return Dataset::from_file(path);
        }
        let files = entries(path)?;
        let named = |wanted: fn(&str) -> bool| -> Vec<&PathBuf> {
            files.iter().filter(|file| file.is_file() && wanted(&name(file))).collect()
        };
        let [records, idx] = [named(|name| name.ends_with(".bin")), named(|name| name.contains("images-idx3"))];
        let of_files = |files: Vec<&PathBuf>| {
            let (test, train): (Vec<&PathBuf>, _) =
                files.into_iter().partition(|file| name(file).starts_with("test") || name(file).starts_with("t10k"));
            let all =
                |files: Vec<&PathBuf>| files.into_iter().map(|file| pictures(file)).collect::<Result<Vec<_>, _>>();
            Dataset::of_parts(path, all(train)?, all(test)?)
        };
        if !records.is_empty() {
            return of_files(records);
        }
        if !idx.is_empty() {
            return of_files(idx);
        }
        let shape = shape.ok_or_else(|| {
            let cause = "pictures have no size of their own; name a network with its size, such as resnet20-cifar10";
            Error::dataset(path, cause.into())
        })?;
        let read = |part: &Path| folder::load(part, shape, usize::MAX).map(|pictures| vec![pictures]);
        let held_out = ["test", "val"].map(|part| path.join(part)).into_iter().find(|part| part.is_dir());
        match held_out.filter(|_| path.join("train").is_dir()) {
            Some(held_out) => Dataset::of_parts(path, read(&path.join("train"))?, read(&held_out)?),
            None => Dataset::of_parts(path, read(path)?, Vec::new()),
        }
    }

    /// A network by its name and the data set that it is for: a description (.toml), which says what the bytes are; a built-in network such
    /// as `resnet20-cifar10`; or an architecture such as `resnet20` for the images and classes of the set. Built-in ones take normalized
    /// images, where the set has a normalization.
    ///
    /// # Errors
    /// As [`Dataset::open`], or the network cannot be read or is not for these images.
    pub fn with_network(network: &str, source: &str) -> Result<(Graph, Self), Error> {
        if topologies::architectures().any(|known| known == network) {
            let dataset = Dataset::open(source, None)?;
            return Ok((topologies::for_images(network, &dataset)?, dataset));
        }
        let described = network.ends_with(".toml") || Path::new(network).exists();
        let mut graph =
            if described { Network::load(Path::new(network))?.graph()? } else { topologies::built_in(network)? };
        let mut dataset = Dataset::open(source, Some(graph.input_shape()))?;
        if described {
            dataset.normalization = None;
        } else {
            graph.input = Some(dataset.code());
        }
        dataset.check_fits(&graph)?;
        Ok((graph, dataset))
    }

    /// A file without a split.
    fn from_file(path: &Path) -> Result<Self, Error> {
        if !name(path).ends_with(".npy") {
            return Dataset::of_parts(path, vec![pictures(path)?], Vec::new());
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let file = name(path);
        let images: Array4<u8> = read(folder, &file, "[images, channels, height, width]")?;
        if !file.contains("images") {
            let cause =
                "the labels are looked for in the file that has `labels` in its name where this one has `images`";
            return Err(Error::dataset(path, cause.into()));
        }
        let labels = read::<u8, Ix1>(folder, &file.replace("images", "labels"), "[images]")?.to_vec();
        let (train, test) = split(&labels);
        Dataset { images, labels, train, test, normalization: None }.checked(path)
    }

    /// Puts the parts of a set together; without held-out ones every fifth image of a class is.
    fn of_parts(path: &Path, train: Vec<Pictures>, test: Vec<Pictures>) -> Result<Self, Error> {
        let refuse = |cause: String| Error::dataset(path, cause);
        let trained: usize = train.iter().map(|part| part.images.len()).sum();
        let parts: Vec<Pictures> = train.into_iter().chain(test).collect();
        let first = parts.first().ok_or_else(|| refuse("it holds no images".into()))?;
        let (Shape { channels, height, width }, normalization) = (first.shape, first.normalization);
        if parts.iter().any(|part| part.shape != first.shape || part.normalization != normalization) {
            return Err(refuse("its files hold images of different shapes or sets".into()));
        }
        let label = |&label: &u16| {
            u8::try_from(label).map_err(|_| refuse(format!("class {label}; a set may have 256 classes")))
        };
        let labels = parts.iter().flat_map(|part| &part.labels).map(label).collect::<Result<Vec<u8>, _>>()?;
        let count = labels.len();
        let bytes: Vec<u8> = parts.into_iter().flat_map(|part| part.images).flatten().collect();
        let images =
            Array4::from_shape_vec((count, channels, height, width), bytes).map_err(|e| refuse(e.to_string()))?;
        let (train, test) =
            if trained == count { split(&labels) } else { ((0..trained).collect(), (trained..count).collect()) };
        Dataset { images, labels, train, test, normalization: Some(normalization) }.checked(path)
    }

    fn checked(self, path: &Path) -> Result<Self, Error> {
        self.check()
            .map_err(|(part, cause)| Error::dataset(path, format!("{}: {cause}", part.trim_end_matches(".npy"))))?;
        Ok(self)
    }
}

fn name(path: &Path) -> String {
    path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
}

/// A file of CIFAR or MNIST.
fn pictures(path: &Path) -> Result<Pictures, Error> {
    let read = |path: &Path| std::fs::read(path).map_err(|e| Error::read(path, &e));
    let file = name(path);
    let found = if file.contains("images-idx3") {
        let labels = path.with_file_name(file.replace("images-idx3", "labels-idx1"));
        binary::mnist(&read(path)?, &read(&labels)?, usize::MAX)
    } else {
        binary::cifar(&read(path)?, usize::MAX)
    };
    found.map_err(|cause| Error::dataset(path, cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Normalization;
    use image::{Rgb, RgbImage};
    use ndarray::Array1;
    use ndarray_npy::write_npy;

    fn cifar(labels: &[u8]) -> Vec<u8> {
        labels.iter().flat_map(|&label| [vec![label], vec![label; 3072]].concat()).collect()
    }

    fn open(path: &Path, shape: Option<Shape>) -> Result<Dataset, Error> {
        Dataset::open(&path.to_string_lossy(), shape)
    }

    #[test]
    fn cifar_comes_with_its_split() {
        let dir = tempfile::tempdir().unwrap();
        for (file, labels) in
            [("data_batch_1.bin", &[3u8, 4][..]), ("data_batch_2.bin", &[5]), ("test_batch.bin", &[9, 3])]
        {
            std::fs::write(dir.path().join(file), cifar(labels)).unwrap();
        }
        std::fs::write(dir.path().join("readme.html"), "").unwrap();
        let set = open(dir.path(), None).unwrap();
        assert_eq!(
            (set.labels.as_slice(), set.train.as_slice(), set.test.as_slice()),
            (&[3, 4, 5, 9, 3][..], &[0, 1, 2][..], &[3, 4][..])
        );
        assert_eq!((set.images[[3, 2, 31, 31]], set.normalization), (9, Some(Normalization::CIFAR10)));
        let black = Normalization::CIFAR10.code().quantize(-0.4914 / 0.2470);
        assert_eq!((set.integers()[0][0], set.code().signed), (black, true));
        assert_eq!(crate::pixels(&set, &[3])[0][0], set.integers()[0][9]);

        std::fs::write(dir.path().join("test_batch.bin"), &cifar(&[9])[1..]).unwrap();
        let error = open(dir.path(), None).unwrap_err().to_string();
        assert!(error.contains("test_batch.bin\n  cause: 3072 bytes are no whole number"), "{error}");
    }

    #[test]
    fn one_file_is_split_class_by_class() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("all.bin");
        std::fs::write(&file, cifar(&[1, 2, 1, 1, 1, 1, 2])).unwrap();
        let set = open(&file, None).unwrap();
        assert_eq!((set.train, set.test), (vec![0, 1, 2, 3, 4, 6], vec![5]));
        std::fs::write(&file, cifar(&[1, 2])).unwrap();
        assert!(open(&file, None).unwrap_err().to_string().contains("test: no indices"));
    }

    #[test]
    fn mnist_comes_with_its_split() {
        let dir = tempfile::tempdir().unwrap();
        let idx = |extents: &[u32], data: &[u8]| {
            let mut bytes = vec![0, 0, 8, extents.len() as u8];
            extents.iter().for_each(|e| bytes.extend(e.to_be_bytes()));
            [bytes, data.to_vec()].concat()
        };
        for (part, count) in [("train", 3u32), ("t10k", 1)] {
            let (pixels, labels) = (vec![count as u8; 4 * count as usize], vec![count as u8; count as usize]);
            std::fs::write(dir.path().join(format!("{part}-images-idx3-ubyte")), idx(&[count, 2, 2], &pixels)).unwrap();
            std::fs::write(dir.path().join(format!("{part}-labels-idx1-ubyte")), idx(&[count], &labels)).unwrap();
        }
        let set = open(dir.path(), None).unwrap();
        let parts: Vec<u8> = set.train.iter().chain(&set.test).map(|&i| set.images[[i, 0, 1, 1]]).collect();
        assert_eq!((parts, set.train.len()), (vec![3, 3, 3, 1], 3));
        std::fs::remove_file(dir.path().join("t10k-labels-idx1-ubyte")).unwrap();
        assert!(open(dir.path(), None).unwrap_err().to_string().contains("t10k-labels-idx1-ubyte"));
    }

    #[test]
    fn folders_of_pictures_have_the_size_of_the_network() {
        let dir = tempfile::tempdir().unwrap();
        for part in ["train", "val"] {
            for (class, colour) in [("a", [255, 0, 0]), ("b", [0, 0, 255])] {
                let folder = dir.path().join(part).join(class);
                std::fs::create_dir_all(&folder).unwrap();
                RgbImage::from_pixel(20, 10, Rgb(colour)).save(folder.join("1.png")).unwrap();
            }
        }
        let set = open(dir.path(), Some(Shape::new(3, 8, 8))).unwrap();
        assert_eq!((set.labels.as_slice(), set.images.dim()), (&[0, 1, 0, 1][..], (4, 3, 8, 8)));
        assert_eq!((set.train, set.test, set.images[[3, 2, 0, 0]]), (vec![0, 1], vec![2, 3], 255));
        assert!(open(dir.path(), None).unwrap_err().to_string().contains("pictures have no size of their own"));
    }

    #[test]
    fn a_network_takes_the_integers_that_it_says() {
        let (graph, set) = Dataset::with_network("resnet8", "synthetic:20:100").unwrap();
        assert_eq!((graph.input, graph.output_shape().channels), (Some(Normalization::DRAWN.code()), 20));
        set.check_fits(&graph).unwrap();
        let (graph, _) = Dataset::with_network("resnet20-cifar10", "synthetic:10:50").unwrap();
        assert_eq!(graph.input, Some(Normalization::DRAWN.code()));
        let error = Dataset::with_network("resnet20-cifar10", "synthetic:20:100").unwrap_err().to_string();
        assert!(error.contains("image 10 has label 10, the last layer has 10 outputs"), "{error}");

        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("n.toml");
        let text = "name = \"n\"\n[input]\nchannels = 3\nheight = 32\nwidth = 32\nscale = 0.1\nbits = 8\n\
                    [[layers]]\nname = \"fc\"\nkind = \"linear\"\nout = 20\nrelu = false\n";
        std::fs::write(&file, text).unwrap();
        let (_, set) = Dataset::with_network(&file.to_string_lossy(), "synthetic:20:100").unwrap();
        assert_eq!((set.normalization, set.integers()[0][200]), (None, 200));
        assert!(Dataset::with_network("none.toml", "synthetic:20:100").unwrap_err().to_string().contains("none.toml"));
        assert!(
            Dataset::with_network("resnet21", "synthetic:20:100")
                .unwrap_err()
                .to_string()
                .contains("no built-in network")
        );
    }

    #[test]
    fn arrays_may_lie_beside_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("my-images.npy");
        write_npy(&file, &Array4::from_elem((5, 1, 2, 2), 3u8)).unwrap();
        write_npy(dir.path().join("my-labels.npy"), &Array1::from(vec![0u8; 5])).unwrap();
        let set = open(&file, None).unwrap();
        assert_eq!((set.train.len(), set.test, set.normalization), (4, vec![4], None));
        std::fs::rename(&file, dir.path().join("x.npy")).unwrap();
        assert!(open(&dir.path().join("x.npy"), None).unwrap_err().to_string().contains("has `images`"));
        assert!(open(&dir.path().join("none.bin"), None).unwrap_err().to_string().starts_with("cannot read a file"));
    }
}
