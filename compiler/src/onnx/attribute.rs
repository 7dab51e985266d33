//! Attributes of a node, with the defaults of the standard.

use basisn_arch::Window;

use super::proto::{AttributeProto, NodeProto};

/// The attributes of a node by name.
pub(super) struct Attributes<'a>(pub &'a NodeProto);

impl Attributes<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&AttributeProto> {
        self.0.attribute.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn integer(&self, name: &str, default: i64) -> i64 {
        self.get(name).map_or(default, |attribute| attribute.i)
    }

    pub(super) fn number(&self, name: &str, default: f32) -> f32 {
        self.get(name).map_or(default, |attribute| attribute.f)
    }

    pub(super) fn integers(&self, name: &str) -> Option<&[i64]> {
        self.get(name).map(|attribute| attribute.ints.as_slice())
    }

    /// The window of a convolution or pooling on an image of `size` rows and columns.
    pub(super) fn window(&self, kernel: [usize; 2], size: [usize; 2]) -> Result<Window, String> {
        let pair = |name: &str| match self.integers(name).map(|v| v.iter().map(|&v| usize::try_from(v)).collect()) {
            None => Ok([1; 2]),
            Some(Ok::<Vec<usize>, _>(v)) if v.len() == 2 => Ok([v[0], v[1]]),
            Some(_) => Err(format!("{name} is not two numbers")),
        };
        let (stride, dilation) = (pair("strides")?, pair("dilations")?);
        if stride.contains(&0) || dilation.contains(&0) || kernel.contains(&0) {
            return Err("a stride, a dilation or the kernel is 0".into());
        }
        let mut window = Window { kernel, stride, padding: [0; 4], dilation };
        let extent = [0, 1].map(|axis| kernel[axis].saturating_sub(1).saturating_mul(dilation[axis]).saturating_add(1));
        match self.get("auto_pad").map_or(&b"NOTSET"[..], |a| &a.s) {
            b"NOTSET" => {
                if let Some(pads) = self.integers("pads") {
                    let pads: Result<Vec<usize>, _> = pads.iter().map(|&p| usize::try_from(p)).collect();
                    window.padding = pads
                        .ok()
                        .and_then(|p| p.try_into().ok())
                        .ok_or("pads are not four numbers, none of them negative")?;
                }
            }
            b"VALID" => {}
            same @ (b"SAME_UPPER" | b"SAME_LOWER") => {
                for axis in 0..2 {
                    let last = (size[axis].div_ceil(stride[axis]).max(1) - 1) * stride[axis];
                    let missing = (last + extent[axis]).saturating_sub(size[axis]);
                    let less = missing / 2;
                    let (before, after) =
                        if same == b"SAME_UPPER" { (less, missing - less) } else { (missing - less, less) };
                    (window.padding[axis], window.padding[axis + 2]) = (before, after);
                }
            }
            other => return Err(format!("auto_pad {}", String::from_utf8_lossy(other))),
        }
        if self.integer("ceil_mode", 0) != 0 {
            // The last position that starts inside the image or its first padding counts: padding at the end makes room for it.
            for axis in 0..2 {
                let padded = size[axis] + window.padding[axis] + window.padding[axis + 2];
                let mut last = padded.saturating_sub(extent[axis]).div_ceil(stride[axis]) * stride[axis];
                if last >= size[axis] + window.padding[axis] {
                    last = last.saturating_sub(stride[axis]);
                }
                window.padding[axis + 2] += (last + extent[axis]).saturating_sub(padded);
            }
        }
        // Larger than any image; keeps products far from overflow.
        if [&kernel[..], &stride, &dilation, &window.padding].concat().iter().any(|&v| v > 1 << 16) {
            return Err("its window is out of range".into());
        }
        Ok(window)
    }
}
