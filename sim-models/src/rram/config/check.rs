//! What a macro model may be: known keys, numbers in range, values that go together.

use basisn_arch::settings;
use toml::{Table, Value};

use super::{COMPLETE, MacroModel, number};
use crate::Error;

/// The model of a table that has all keys; `at` names it in errors.
pub(super) fn checked(mut table: Table, at: &str) -> Result<MacroModel, Error> {
    for (section, entries) in &mut table {
        let entries = entries.as_table_mut().ok_or_else(|| unknown(at, section))?;
        for (name, value) in entries {
            let key = format!("{section}.{name}");
            let field = MacroModel::FIELDS.iter().find(|f| f.key == key).ok_or_else(|| unknown(at, &key))?;
            let Some((low, high)) = field.range else { continue };
            let fix = format!("set a number from {low} to {high}: {}", field.meaning);
            let given = number(value)
                .ok_or_else(|| refuse(&format!("{at}, {key}"), format!("{value} is not a number"), fix.clone()))?;
            if !(low..=high).contains(&given) {
                return Err(refuse(&format!("{at}, {key}"), format!("{given} is out of range"), fix));
            }
        }
    }
    let model: MacroModel = Value::Table(table).try_into().map_err(|e: toml::de::Error| {
        refuse(at, e.message().into(), format!("{COMPLETE} has every key with a value of its type"))
    })?;
    check(&model, at)?;
    Ok(model)
}

fn check(model: &MacroModel, at: &str) -> Result<(), Error> {
    let bad = |key: &str, cause: String, fix: &str| Err(refuse(&format!("{at}, {key}"), cause, fix.into()));
    let finite = |values: &[f64]| values.iter().all(|v| v.is_finite() && v.abs() < 1e6);
    if model.cell.g_max_us <= model.cell.g_min_us {
        let cause = format!("{} is not above g_min_us = {}", model.cell.g_max_us, model.cell.g_min_us);
        return bad("cell.g_max_us", cause, "a high cell conducts better than a low one");
    }
    if model.write_verify.max_pulses > 0 && (model.write_verify.step <= 0.0 || model.write_verify.tolerance <= 0.0) {
        let cause = "pulses are allowed, and step or tolerance is 0".into();
        return bad("write_verify", cause, "set both above 0, or max_pulses = 0");
    }
    if model.write_verify.through_adc && model.write_verify.max_pulses == 0 {
        let cause = "the core is to verify, and no pulses are allowed".into();
        return bad("write_verify.through_adc", cause, "set max_pulses above 0, or through_adc = false");
    }
    if model.faults.stuck_low + model.faults.stuck_high > 1.0 {
        return bad("faults", "stuck_low and stuck_high together exceed 1".into(), "lower one of them");
    }
    let table = &model.programming.table_us;
    if !finite(table.as_flattened()) || table.iter().any(|p| p[1] < 0.0) || table.windows(2).any(|p| p[0][0] >= p[1][0])
    {
        let cause = "not rising, or a deviation is negative or no number".into();
        return bad("programming.table_us", cause, "give pairs [conductance, deviation], conductances rising");
    }
    if !finite(&model.programming.polynomial_us) {
        return bad("programming.polynomial_us", "not all numbers".into(), "give coefficients, lowest power first");
    }
    if !finite(&model.adc.inl_lsb) || model.adc.inl_lsb.len() == 1 {
        return bad("adc.inl_lsb", "one value alone, or no numbers".into(), "give none, or at least the two ends");
    }
    Ok(())
}

/// An unknown key.
pub(super) fn unknown(at: &str, key: &str) -> Error {
    let fix = match settings::near(key, MacroModel::FIELDS.iter().map(|f| f.key)) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("{COMPLETE} has every key"),
    };
    refuse(&format!("{at}, {key}"), "unknown key".into(), fix)
}

/// Settings that cannot be used.
pub(in crate::rram) fn refuse(at: &str, cause: String, fix: String) -> Error {
    Error::Macro { at: at.into(), cause, fix }
}
