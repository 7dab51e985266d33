//! Which operators are converted, and what would help with the others.

/// Operators that are converted, in some form.
pub(super) const KNOWN: [&str; 34] = [
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
    "Constant",
    "Conv",
    "Div",
    "Dropout",
    "Flatten",
    "Gather",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "Identity",
    "LogSoftmax",
    "MatMul",
    "MaxPool",
    "Pad",
    "Mul",
    "ReduceMean",
    "Relu",
    "Reshape",
    "Shape",
    "Slice",
    "Softmax",
    "Squeeze",
    "Sub",
    "Sum",
    "Transpose",
    "Unsqueeze",
    "ConstantOfShape",
    "Range",
];

/// What would help where an operator is not supported.
pub(super) fn help(op_type: &str) -> &'static str {
    match op_type {
        "Sigmoid" | "HardSigmoid" | "HardSwish" | "Swish" | "Tanh" | "Elu" | "Selu" | "Gelu" | "LeakyRelu"
        | "PRelu" | "Mish" => "train the network with ReLU or ReLU6 instead",
        "LayerNormalization" | "InstanceNormalization" | "GroupNormalization" | "LRN" => "use batch norm instead",
        "ConvTranspose" | "Resize" | "Upsample" => "networks that enlarge images are not supported",
        "Pad" => "pad with zeros, in front of a convolution",
        "QuantizeLinear" | "DequantizeLinear" | "QLinearConv" | "ConvInteger" => {
            "export the float network; quantization is ours"
        }
        "LSTM" | "GRU" | "RNN" | "Attention" => "recurrent networks and transformers are not supported",
        "If" | "Loop" | "Scan" => "trace the network with an example input",
        "Transpose" => "keep the order [N, channels, height, width]",
        _ => "",
    }
}
