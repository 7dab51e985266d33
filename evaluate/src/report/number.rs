//! Numbers as people read them: three digits and a unit.

/// A number with three digits at most, and no more than needed.
pub fn digits(value: f64) -> String {
    let magnitude = value.abs();
    match magnitude {
        _ if !value.is_finite() => "-".into(),
        m if m < 1e4 && value.fract() == 0.0 => format!("{value:.0}"),
        m if !(1e-3..1e6).contains(&m) => {
            let exponent = m.log10().floor();
            format!("{:.1}e{exponent}", value / 10f64.powf(exponent))
        }
        m if m >= 9999.5 => thousands(value),
        m if m >= 99.95 => format!("{value:.0}"),
        m if m >= 9.995 => format!("{value:.1}"),
        m if m >= 0.0995 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

fn thousands(value: f64) -> String {
    let whole = format!("{:.0}", value.abs());
    let (head, tail) = whole.split_at(whole.len().saturating_sub(3));
    format!("{}{head},{tail}", if value < 0.0 { "-" } else { "" })
}

fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let unit = units.iter().find(|(size, _)| value.abs() >= *size).or(units.last());
    unit.map_or_else(|| digits(value), |(size, name)| format!("{} {name}", digits(value / size)))
}

/// Nanoseconds with a fitting unit.
pub fn time(ns: f64) -> String {
    scaled(ns, &[(3.6e12, "h"), (1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")])
}

/// Picojoules with a fitting unit.
pub fn energy(pj: f64) -> String {
    scaled(pj, &[(1e12, "J"), (1e9, "mJ"), (1e6, "uJ"), (1e3, "nJ"), (1.0, "pJ")])
}

/// Square micrometres with a fitting unit.
pub fn area(um2: f64) -> String {
    if um2 >= 1e4 { format!("{} mm2", digits(um2 * 1e-6)) } else { format!("{} um2", digits(um2)) }
}

/// A ratio in percent; from tenfold on as a factor.
pub fn ratio(value: f64) -> String {
    match value {
        v if v >= 10.0 => format!("{} x", digits(v)),
        v if v >= 0.0995 => format!("{:.0}%", 100.0 * v),
        v if v >= 0.00995 => format!("{:.1}%", 100.0 * v),
        v if v >= 0.000095 => format!("{:.2}%", 100.0 * v),
        v => format!("{:.4}%", 100.0 * v),
    }
}

/// A power of ten as a ratio, at an axis.
pub fn ratio_tick(value: f64) -> String {
    match value {
        v if v >= 10.0 => format!("{v:.0} x"),
        v if v >= 1e-5 => format!("{}%", 100.0 * v).replace("0000000001", ""),
        v => format!("{:.0e}%", 100.0 * v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit() {
        assert_eq!(
            [0.0, 0.05, 1.234, 12.34, 123.4, 12345.0].map(digits),
            ["0", "0.0500", "1.23", "12.3", "123", "12,345"]
        );
        assert_eq!([2.5e7, 3.21e-5].map(digits), ["2.5e7", "3.2e-5"]);
        assert_eq!([24.96e6, 1.2e3, 85.7].map(time), ["25.0 ms", "1.20 us", "85.7 ns"]);
        assert_eq!([1.643e9, 286.0].map(energy), ["1.64 mJ", "286 pJ"]);
        assert_eq!([2.9e6, 1200.0].map(area), ["2.90 mm2", "1200 um2"]);
        assert_eq!([0.0072, 0.62, 5.65, 12.0, 0.00017].map(ratio), ["0.72%", "62%", "565%", "12 x", "0.02%"]);
    }
}
