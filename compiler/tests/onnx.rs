//! ONNX files in the habits of both PyTorch exporters give the network that was written into them.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::path::Path;

use basisn_arch::Window;
use basisn_compiler::graph::{Conv, Graph, Op, Pool, Shape, topologies};
use basisn_compiler::onnx::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use basisn_compiler::onnx::{Imported, from_bytes, load};
use basisn_compiler::{Model, float};
use prost::Message;

/// How an exporter writes.
#[derive(Clone, Copy, PartialEq)]
enum Habit {
    /// Flatten, GlobalAveragePool, node names with slashes, names of a state dict.
    TorchScript,
    /// Reshape, ReduceMean, Identity before every operator, no node names, limits as attributes of constants.
    Dynamo,
}

fn attribute(name: &str, ints: &[usize]) -> AttributeProto {
    AttributeProto { name: name.into(), ints: ints.iter().map(|&v| v as i64).collect(), ..AttributeProto::default() }
}

fn integer(name: &str, i: usize) -> AttributeProto {
    AttributeProto { name: name.into(), i: i as i64, ..AttributeProto::default() }
}

fn window(w: &Window) -> Vec<AttributeProto> {
    ["kernel_shape", "strides", "dilations"]
        .into_iter()
        .zip([w.kernel, w.stride, w.dilation])
        .map(|(name, pair)| attribute(name, &pair))
        .chain([attribute("pads", &w.padding)])
        .collect()
}

fn floats(name: &str, dims: &[usize], values: &[f32]) -> TensorProto {
    let raw_data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let dims = dims.iter().map(|&d| d as i64).collect();
    TensorProto { name: name.into(), dims, data_type: 1, raw_data, ..TensorProto::default() }
}

fn integers(name: &str, values: &[i64]) -> TensorProto {
    let dims = vec![values.len() as i64];
    TensorProto { name: name.into(), dims, data_type: 7, int64_data: values.to_vec(), ..TensorProto::default() }
}

fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim =
        |&v: &i64| DimensionProto { dim_value: v, dim_param: if v == 0 { "batch".into() } else { String::new() } };
    let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let r#type = Some(TypeProto { tensor_type: Some(TensorTypeProto { elem_type: 1, shape }) });
    ValueInfoProto { name: name.into(), r#type }
}

/// Writes a model as an exporter of this habit does.
fn export(model: &Model, opset: i64, habit: Habit) -> ModelProto {
    let mut graph = GraphProto { name: "main_graph".into(), ..GraphProto::default() };
    let Shape { channels, height, width } = model.graph.input_shape();
    graph.input = vec![value("value0", &[0, channels as i64, height as i64, width as i64])];
    for (index, node) in model.graph.nodes.iter().enumerate().skip(1) {
        let mut input: Vec<String> = node.inputs.iter().map(|i| format!("value{i}")).collect();
        if habit == Habit::Dynamo {
            let same = format!("same{index}");
            let inputs = vec![input[0].clone()];
            graph.node.push(NodeProto {
                op_type: "Identity".into(),
                input: inputs,
                output: vec![same.clone()],
                ..NodeProto::default()
            });
            input[0] = same;
        }
        let mut constant = |input: &mut Vec<String>, tensor: TensorProto| {
            input.push(tensor.name.clone());
            graph.initializer.push(tensor);
        };
        let part = |part: &str| model.parameters.values(&node.name, part);
        let name = |part: &str| format!("{}.{part}", node.name);
        let (op_type, attributes) = match &node.op {
            Op::Conv(conv) => {
                let in_channels = model.graph.nodes[node.inputs[0]].shape.channels / conv.groups;
                let [h, w] = conv.window.kernel;
                constant(&mut input, floats(&name("weight"), &[conv.out, in_channels, h, w], part("weight")));
                if conv.bias {
                    constant(&mut input, floats(&name("bias"), &[conv.out], part("bias")));
                }
                ("Conv", window(&conv.window).into_iter().chain([integer("group", conv.groups)]).collect())
            }
            Op::Linear { out, bias } => {
                let depth = part("weight").len() / out;
                constant(&mut input, floats(&name("weight"), &[*out, depth], part("weight")));
                if *bias {
                    constant(&mut input, floats(&name("bias"), &[*out], part("bias")));
                }
                ("Gemm", vec![integer("transB", 1)])
            }
            Op::BatchNorm { epsilon } => {
                for p in ["weight", "bias", "running_mean", "running_var"] {
                    constant(&mut input, floats(&name(p), &[part(p).len()], part(p)));
                }
                let epsilon =
                    AttributeProto { name: "epsilon".into(), f: *epsilon as f32, ..AttributeProto::default() };
                ("BatchNormalization", vec![epsilon])
            }
            Op::Clip { low, high } if (*low, *high) == (0.0, f64::INFINITY) => ("Relu", vec![]),
            Op::Clip { low, high } => {
                constant(&mut input, floats(&name("min"), &[], &[*low as f32]));
                constant(&mut input, floats(&name("max"), &[], &[*high as f32]));
                ("Clip", vec![])
            }
            Op::MaxPool(w) => ("MaxPool", window(w)),
            Op::AvgPool(pool) => {
                let counted = integer("count_include_pad", usize::from(pool.count_padding));
                ("AveragePool", window(&pool.window).into_iter().chain([counted]).collect())
            }
            Op::GlobalAvgPool if habit == Habit::TorchScript => ("GlobalAveragePool", vec![]),
            Op::GlobalAvgPool if opset >= 18 => {
                constant(&mut input, integers(&name("axes"), &[-2, -1]));
                ("ReduceMean", vec![])
            }
            Op::GlobalAvgPool => ("ReduceMean", vec![attribute("axes", &[2, 3])]),
            Op::Flatten if habit == Habit::TorchScript => ("Flatten", vec![]),
            Op::Flatten => {
                constant(&mut input, integers(&name("shape"), &[-1, node.shape.channels as i64]));
                ("Reshape", vec![])
            }
            Op::Add => ("Add", vec![]),
            Op::Concat => ("Concat", vec![integer("axis", 1)]),
            Op::Input => continue,
        };
        let name = if habit == Habit::TorchScript { format!("/{}/{op_type}", node.name) } else { String::new() };
        let output = vec![format!("value{index}")];
        graph.node.push(NodeProto {
            op_type: op_type.into(),
            name,
            input,
            output,
            attribute: attributes,
            ..NodeProto::default()
        });
    }
    graph.output = vec![value(&format!("value{}", model.graph.nodes.len() - 1), &[0, 0])];
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: opset }];
    ModelProto { ir_version: 8, producer_name: "pytorch".into(), graph: Some(graph), opset_import }
}

fn import(file: &ModelProto) -> Imported {
    from_bytes(&file.encode_to_vec(), Path::new("net.onnx")).unwrap()
}

fn image(graph: &Graph) -> Vec<f32> {
    (0..graph.input_shape().size()).map(|i| (i * 7919 % 201) as f32 / 100.0 - 1.0).collect()
}

/// Scores of both, which must be the same to the last bits.
fn same(model: &Model, imported: &Model) {
    let image = image(&model.graph);
    let (expected, found) = (float::run(model, &image, &mut |_, _| ()), float::run(imported, &image, &mut |_, _| ()));
    let scale = expected.iter().fold(1e-3f32, |m, v| m.max(v.abs()));
    assert_eq!(expected.len(), found.len());
    assert!(expected.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-4 * scale), "{expected:?} {found:?}");
}

#[test]
fn built_in_networks_survive_export_and_import() {
    for name in ["resnet8-cifar10", "mobilenet-v2-cifar10", "vgg11-bn-cifar10"] {
        let model = Model::random(topologies::built_in(name).unwrap(), 5);
        for (opset, habit) in [(11, Habit::TorchScript), (17, Habit::Dynamo), (23, Habit::Dynamo)] {
            let Imported { model: imported, notes } = import(&export(&model, opset, habit));
            assert!(notes.is_empty());
            assert_eq!(imported.graph.matrix_layers().len(), model.graph.matrix_layers().len());
            same(&model, &imported);
        }
    }
}

/// Average pooling with and without counted padding, concatenation, a grouped convolution that is dilated and padded on one side.
fn small() -> Model {
    let mut graph = Graph::new("small", Shape::new(4, 9, 8));
    let uneven = Window { padding: [0, 2, 1, 0], dilation: [1, 2], ..Window::square(3, 2, 0) };
    let a = graph.add("a", Op::Conv(Conv { groups: 2, bias: true, ..Conv::new(6, uneven) }), &[0]).unwrap();
    let a = graph.add("a6", Op::Relu6, &[a]).unwrap();
    let pool = |count_padding| Op::AvgPool(Pool { window: Window::square(3, 1, 1), count_padding });
    let (b, c) = (graph.add("b", pool(true), &[a]).unwrap(), graph.add("c", pool(false), &[a]).unwrap());
    let d = graph.add("d", Op::Concat, &[b, c]).unwrap();
    let e = graph.add("e", Op::Flatten, &[d]).unwrap();
    graph.add("fc", Op::Linear { out: 3, bias: true }, &[e]).unwrap();
    Model::random(graph, 2)
}

#[test]
fn attributes_of_windows_are_read() {
    for habit in [Habit::TorchScript, Habit::Dynamo] {
        let imported = import(&export(&small(), 13, habit)).model;
        same(&small(), &imported);
        assert_eq!(imported.graph.matrix_layers()[0].groups, 2);
    }
}

/// Adds nodes after the last one; `{}` in a name stands for what was the output.
fn then(mut file: ModelProto, nodes: &[(&str, &[&str], &[AttributeProto])], constants: Vec<TensorProto>) -> ModelProto {
    let graph = file.graph.as_mut().unwrap();
    let mut last = graph.output[0].name.clone();
    for (i, (op_type, inputs, attributes)) in nodes.iter().enumerate() {
        let input = inputs.iter().map(|name| if *name == "{}" { last.clone() } else { name.to_string() }).collect();
        last = format!("after{i}");
        let (name, output, attribute) = (format!("after/{i}"), vec![last.clone()], attributes.to_vec());
        graph.node.push(NodeProto {
            op_type: op_type.to_string(),
            name,
            input,
            output,
            attribute,
            ..NodeProto::default()
        });
    }
    graph.initializer.extend(constants);
    graph.output[0].name = last;
    file
}

#[test]
fn a_softmax_at_the_end_is_left_out_with_a_note() {
    let file = then(export(&small(), 13, Habit::TorchScript), &[("Softmax", &["{}"], &[])], vec![]);
    let Imported { model, notes } = import(&file);
    same(&small(), &model);
    assert!(notes[0].contains("after/0 (Softmax)") && notes[0].contains("does not change the order"), "{notes:?}");
}

#[test]
fn sums_and_products_with_constants_and_plain_matrices_become_affine_layers() {
    let nodes: &[(&str, &[&str], &[AttributeProto])] = &[
        ("MatMul", &["{}", "m"], &[]),
        ("Add", &["{}", "b"], &[]),
        ("Mul", &["two", "{}"], &[]),
        ("Sub", &["one", "{}"], &[]),
    ];
    let constants = vec![
        floats("m", &[3, 2], &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0]),
        floats("b", &[2], &[0.5, -0.5]),
        floats("two", &[], &[2.0]),
        floats("one", &[1, 1], &[1.0]),
    ];
    let model = import(&then(export(&small(), 13, Habit::TorchScript), nodes, constants)).model;
    let image = image(&small().graph);
    let before = float::run(&small(), &image, &mut |_, _| ());
    let found = float::run(&model, &image, &mut |_, _| ());
    for (found, (x, b)) in found.iter().zip([(before[0] + before[2], 0.5), (before[1] + before[2], -0.5)]) {
        assert!((found - (1.0 - 2.0 * (x + b))).abs() < 1e-4, "{found} {x}");
    }
    let folded = model.folded();
    assert!(
        !folded.graph.nodes.iter().any(|n| matches!(n.op, Op::BatchNorm { .. })),
        "all of them fold into the matrix"
    );
}

#[test]
fn flattening_by_computed_shapes_is_understood() {
    // x.view(x.size(0), -1) as the older exporter writes it.
    let mut file = export(&small(), 11, Habit::TorchScript);
    let graph = file.graph.as_mut().unwrap();
    let flatten = graph.node.iter_mut().find(|n| n.op_type == "Flatten").unwrap();
    flatten.op_type = "Reshape".into();
    let x = flatten.input[0].clone();
    flatten.input.push("shape".into());
    let at = graph.node.iter().position(|n| n.op_type == "Reshape").unwrap();
    let node = |op_type: &str, input: &[&str], output: &str| NodeProto {
        op_type: op_type.into(),
        input: input.iter().map(ToString::to_string).collect(),
        output: vec![output.into()],
        ..NodeProto::default()
    };
    let nodes = [
        node("Shape", &[&x], "all"),
        node("Gather", &["all", "zero"], "batch"),
        node("Unsqueeze", &["batch", "zero"], "batch1"),
        node("Concat", &["batch1", "rest"], "shape"),
    ];
    graph.node.splice(at..at, nodes);
    graph.initializer.extend([integers("zero", &[0]), integers("rest", &[-1])]);
    same(&small(), &import(&file).model);
}

#[test]
fn weights_beside_the_file_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = export(&small(), 17, Habit::Dynamo);
    let mut data = Vec::new();
    for tensor in file.graph.as_mut().unwrap().initializer.iter_mut().filter(|t| t.raw_data.len() > 16) {
        let entry = |key: &str, value: String| StringStringEntryProto { key: key.into(), value };
        tensor.external_data = vec![
            entry("location", "net.onnx.data".into()),
            entry("offset", data.len().to_string()),
            entry("length", tensor.raw_data.len().to_string()),
        ];
        tensor.data_location = 1;
        data.append(&mut tensor.raw_data);
    }
    assert!(data.len() > 1000);
    std::fs::write(folder.path().join("net.onnx"), file.encode_to_vec()).unwrap();
    std::fs::write(folder.path().join("net.onnx.data"), &data).unwrap();
    let imported = load(&folder.path().join("net.onnx")).unwrap().model;
    assert_eq!(imported.graph.name, "net");
    same(&small(), &imported);
    std::fs::write(folder.path().join("net.onnx.data"), &data[..100]).unwrap();
    let error = load(&folder.path().join("net.onnx")).unwrap_err().to_string();
    assert!(error.contains("which has 100 bytes") && error.contains("fix:"), "{error}");
}

fn refused(file: &ModelProto) -> String {
    let text = from_bytes(&file.encode_to_vec(), Path::new("net.onnx")).unwrap_err().to_string();
    assert!(
        text.starts_with("the ONNX model cannot be imported\n  at:    net.onnx\n  cause: ")
            && text.contains("\n  fix:   "),
        "{text}"
    );
    text
}

#[test]
fn every_unsupported_node_is_named_at_once_with_what_would_help() {
    let nodes: &[(&str, &[&str], &[AttributeProto])] = &[
        ("Sigmoid", &["{}"], &[]),
        ("Relu", &["{}"], &[]),
        ("LayerNormalization", &["{}"], &[]),
        ("Softmax", &["{}"], &[]),
        ("FancyOp", &["{}"], &[]),
    ];
    let text = refused(&then(export(&small(), 17, Habit::TorchScript), nodes, vec![]));
    assert!(text.contains("3 nodes are not supported"), "{text}");
    assert!(text.contains("after/0 (Sigmoid)") && text.contains("train the network with ReLU"), "{text}");
    assert!(text.contains("after/2 (LayerNormalization)") && text.contains("use batch norm"), "{text}");
    assert!(text.contains("after/4 (FancyOp)") && !text.contains("Relu)") && !text.contains("Softmax"), "{text}");
    let product = then(export(&small(), 17, Habit::TorchScript), &[("Mul", &["{}", "{}"], &[])], vec![]);
    assert!(refused(&product).contains("after/0 (Mul): two computed values"));
}

#[test]
fn files_that_are_no_such_network_are_refused() {
    let good = export(&small(), 13, Habit::TorchScript);
    let old =
        ModelProto { opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 9 }], ..good.clone() };
    assert!(refused(&old).contains("operator set 9"));
    assert!(refused(&ModelProto { graph: None, ..good.clone() }).contains("no graph"));
    let mut unsized_image = good.clone();
    unsized_image.graph.as_mut().unwrap().input = vec![value("value0", &[0, 4, 0, 8])];
    assert!(refused(&unsized_image).contains("only the batch may be dynamic"));
    let mut two = good.clone();
    two.graph.as_mut().unwrap().input.push(value("other", &[0, 4]));
    assert!(refused(&two).contains("2 inputs and 1 outputs"));
    let mut nowhere = good.clone();
    nowhere.graph.as_mut().unwrap().output[0].name = "nowhere".into();
    assert!(refused(&nowhere).contains("the output nowhere"));
    let mut small_weight = good.clone();
    small_weight.graph.as_mut().unwrap().initializer[0].raw_data.truncate(8);
    assert!(refused(&small_weight).contains("initializer a.weight: 2 values for shape"));
}

#[test]
fn truncated_and_damaged_files_never_panic() {
    let whole = export(&small(), 13, Habit::Dynamo).encode_to_vec();
    let mut refused = 0;
    for at in (0..whole.len()).step_by(7) {
        refused += usize::from(from_bytes(&whole[..at], Path::new("x")).is_err());
        for bit in [0, 3, 7] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << bit;
            let _ = from_bytes(&damaged, Path::new("x"));
        }
    }
    assert!(refused > whole.len() / 7 - 3, "{refused}");
}

/// What both of PyTorch's exporters wrote, with the scores that PyTorch gives; `compiler/tests/onnx/export.py` made them.
#[test]
fn files_of_both_pytorch_exporters_give_pytorchs_scores() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx");
    let scores = std::fs::read_to_string(folder.join("scores.txt")).unwrap();
    let mut compared = 0;
    for line in scores.lines() {
        let (name, expected) = line.split_once(' ').unwrap();
        let expected: Vec<f32> = expected.split(' ').map(|v| v.parse().unwrap()).collect();
        for exporter in ["torchscript", "dynamo"] {
            let Imported { model, notes } = load(&folder.join(format!("{name}-{exporter}.onnx"))).unwrap();
            let mut found = float::run(&model, &image(&model.graph), &mut |_, _| ());
            if name == "dense" {
                // Its log-softmax is left out, with a note.
                assert!(notes[0].contains("LogSoftmax"), "{notes:?}");
                let norm = found.iter().map(|v| v.exp()).sum::<f32>().ln();
                found.iter_mut().for_each(|v| *v -= norm);
            }
            println!("{name} {exporter}: {found:?}");
            assert_eq!(found.len(), expected.len());
            assert!(
                found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5),
                "{name} {exporter}: {expected:?} {found:?}"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 6);
}

#[test]
fn padding_goes_to_the_convolution_after_it() {
    let mut file = export(&small(), 18, Habit::TorchScript);
    let graph = file.graph.as_mut().unwrap();
    let first = &mut graph.node[0];
    let moved = first.attribute.iter_mut().find(|a| a.name == "pads").unwrap();
    // Top and bottom in one node with all axes, left and right in another that names the axis.
    let pads = std::mem::replace(&mut moved.ints, vec![0; 4]);
    first.input[0] = "padded2".into();
    let node = |input: &[&str], output: &str| NodeProto {
        op_type: "Pad".into(),
        input: input.iter().map(ToString::to_string).collect(),
        output: vec![output.into()],
        ..NodeProto::default()
    };
    graph
        .node
        .splice(0..0, [node(&["value0", "pads1"], "padded1"), node(&["padded1", "pads2", "", "axes"], "padded2")]);
    graph.initializer.extend([
        integers("pads1", &[0, 0, pads[0], 0, 0, 0, pads[2], 0]),
        integers("pads2", &[pads[1], pads[3]]),
        integers("axes", &[-1]),
    ]);
    same(&small(), &import(&file).model);
    let mut cropped = file;
    cropped.graph.as_mut().unwrap().initializer.iter_mut().find(|t| t.name == "pads2").unwrap().int64_data[0] = -1;
    assert!(refused(&cropped).contains("(Pad): it pads other axes"), "{}", refused(&cropped));
}
