//! The little integer arithmetic with which exporters compute shapes and paddings.

use std::path::Path;

use super::attribute::Attributes;
use super::constant::{Constant, Data};
use super::convert::Value;
use super::proto::NodeProto;

/// Largest constant that is computed: shapes have a few numbers.
const SIZE_MAX: usize = 1 << 10;

/// The value of a `Constant` node.
pub(super) fn constant_node(node: &NodeProto) -> Result<Constant, String> {
    let attributes = Attributes(node);
    if let Some(tensor) = attributes.get("value").and_then(|a| a.t.as_ref()) {
        return Constant::read(tensor, Path::new("."));
    }
    if let Some(values) = attributes.integers("value_ints") {
        return Ok(Constant::integers(values.to_vec()));
    }
    let scalar = |data| Constant { dims: Vec::new(), data };
    if let Some(value) = attributes.get("value_int") {
        return Ok(scalar(Data::Integers(vec![value.i])));
    }
    attributes
        .get("value_float")
        .map(|a| scalar(Data::Floats(vec![a.f])))
        .ok_or_else(|| "a constant of another kind".into())
}

/// A node that reads constants of integers only.
pub(super) fn of_constants(node: &NodeProto, inputs: &[Value]) -> Result<Constant, String> {
    let attributes = Attributes(node);
    let constant = |i: usize| match inputs.get(i) {
        Some(Value::Constant(c)) => Ok(c),
        _ => Err("an input is missing".to_string()),
    };
    let integers = |i: usize| {
        let found = constant(i)?.as_integers();
        found.ok_or_else(|| "constants other than integers are not computed with".to_string())
    };
    let (values, dims) = (integers(0)?, &constant(0)?.dims);
    match node.op_type.as_str() {
        "Gather" => {
            let at =
                |&i: &i64| values.get(usize::try_from(if i < 0 { i + values.len() as i64 } else { i }).ok()?).copied();
            let found: Option<Vec<i64>> = integers(1)?.iter().map(at).collect();
            Ok(Constant::integers(found.ok_or("an index is out of range")?))
        }
        "Concat" => {
            let parts: Result<Vec<_>, _> = (0..inputs.len()).map(integers).collect();
            Ok(Constant::integers(parts?.concat()))
        }
        "ConstantOfShape" => {
            let dims: Option<Vec<usize>> = values.iter().map(|&v| usize::try_from(v).ok()).collect();
            let dims = dims.ok_or("a negative extent")?;
            let size = dims.iter().fold(1usize, |p, &d| p.saturating_mul(d));
            let fill = attributes.get("value").and_then(|a| a.t.as_ref());
            let fill = fill.map(|tensor| Constant::read(tensor, Path::new("."))).transpose()?;
            match fill.as_ref().and_then(|c| c.as_integers()?.first().copied()) {
                Some(value) if size <= SIZE_MAX => Ok(Constant { dims, data: Data::Integers(vec![value; size]) }),
                _ => Err("it does not fill a small shape with an integer".into()),
            }
        }
        "Slice" => {
            let number = |i: usize, default: i64| match inputs.get(i) {
                Some(_) => Ok(integers(i)?.first().copied().unwrap_or(default)),
                None => Ok::<i64, String>(default),
            };
            slice(values, dims, [number(1, 0)?, number(2, i64::MAX)?], number(3, 0)?, number(4, 1)?)
        }
        "Transpose" => {
            let [rows, columns] = dims[..] else { return Err("it transposes a constant that is no matrix".into()) };
            let turned = (0..rows * columns).map(|i| values[i % rows * columns + i / rows]).collect();
            Ok(Constant { dims: vec![columns, rows], data: Data::Integers(turned) })
        }
        "Reshape" => reshaped(values, integers(1)?),
        "Unsqueeze" | "Squeeze" => Ok(Constant::integers(values.to_vec())),
        _ => Err("it computes with constants in a way that is not supported".into()),
    }
}

fn reshaped(values: &[i64], shape: &[i64]) -> Result<Constant, String> {
    let known: usize = shape.iter().filter_map(|&d| usize::try_from(d).ok()).fold(1, usize::saturating_mul);
    let rest = values.len().checked_div(known).unwrap_or(0);
    let dims: Vec<usize> = shape.iter().map(|&d| usize::try_from(d).unwrap_or(rest)).collect();
    if dims.iter().fold(1usize, |p, &d| p.saturating_mul(d)) != values.len() {
        return Err(format!("{} values, and the shape is {shape:?}", values.len()));
    }
    Ok(Constant { dims, data: Data::Integers(values.to_vec()) })
}

/// Along one axis, from a start to before an end; both may count from behind, and the step may be negative.
fn slice(values: &[i64], dims: &[usize], [start, end]: [i64; 2], axis: i64, step: i64) -> Result<Constant, String> {
    let axis =
        usize::try_from(if axis < 0 { axis.saturating_add(dims.len() as i64) } else { axis }).unwrap_or(usize::MAX);
    let (Some(&extent), true) = (dims.get(axis), step != 0) else {
        return Err("its axis or step is out of range".into());
    };
    let n = extent as i64;
    let (least, most) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let bound = |v: i64| if v < 0 { v.saturating_add(n) } else { v }.clamp(least, most);
    let (mut at, end) = (bound(start), bound(end));
    let mut chosen = Vec::new();
    while if step > 0 { at < end } else { at > end } {
        chosen.extend(usize::try_from(at).ok());
        at = at.saturating_add(step);
    }
    let inner: usize = dims[axis + 1..].iter().product();
    let blocks = values.chunks_exact((extent * inner).max(1));
    let values = blocks.flat_map(|block| chosen.iter().flat_map(move |i| &block[i * inner..(i + 1) * inner])).copied();
    let mut dims = dims.to_vec();
    let data = Data::Integers(values.collect());
    dims[axis] = chosen.len();
    Ok(Constant { dims, data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_count_from_both_ends_and_run_backwards() {
        let values = [1, 2, 3, 4, 5, 6];
        let of = |range, axis, step| slice(&values, &[3, 2], range, axis, step).unwrap();
        assert_eq!(
            of([-1, i64::MIN], 0, -1),
            Constant { dims: vec![3, 2], data: Data::Integers(vec![5, 6, 3, 4, 1, 2]) }
        );
        assert_eq!(of([1, i64::MAX], 1, 1), Constant { dims: vec![3, 1], data: Data::Integers(vec![2, 4, 6]) });
        assert_eq!(of([-2, -1], 0, 1).as_integers(), Some(&[3, 4][..]));
        assert_eq!(of([2, 1], -2, 1).as_integers(), Some(&[][..]));
        assert!(slice(&values, &[6], [0, 1], 1, 1).is_err() && slice(&values, &[6], [0, 1], 0, 0).is_err());
        assert_eq!(reshaped(&values, &[-1, 2]).unwrap().dims, [3, 2]);
        assert!(reshaped(&values, &[-1, 4]).is_err());
    }
}
