//! An estimate from the numbers of a file, each of which is checked, since a file may be damaged or made to harm.
//!
//! ```text
//! weights >= 0,   sum of the weights of each rule of one vector or block = the same,
//! sum of the deflated weights + known[0] = N,   |known[k]| <= N max |x|^k,   steps <= nodes of a rule
//! ```
//!
//! What passes costs no more to read than its arrays are long, and each reading is finite and between 0 and log2(N).

use ndarray::ArrayView2;

use crate::error::{Error, Result};
use crate::slq::bracket::{Bracket, ROWS};
use crate::slq::control_variate::MAX_POWER_SUMS;
use crate::slq::estimate::{Estimate, EstimateArrays, EstimateInfo};

/// The rows of a bracket without outer rules, as in files of earlier versions.
const ROWS_WITHOUT_OUTER: usize = 6;

/// The largest number of eigenvalues and of products: integers up to it are exact in f64, as files hold them.
const MAX_COUNT: usize = 1 << 53;

/// The part of N by which sums of weights may differ. They are squared entries of orthonormal vectors, or of vectors of N
/// signs, and rounding moves their sums by about 1e-12 N.
const WEIGHTS_WITHIN: f64 = 1e-6;

/// The exponent of two of the largest modulus of a node, and of the reciprocal of the smallest one of a largest node. Squares
/// of nodes and of their bounds are finite then. Operators are multiplied in a unit in which their entries are near 1.
const MAX_EXPONENT: i32 = 400;

impl Estimate {
    /// Rebuilds an estimate from its information and the arrays of [`Estimate::to_arrays`].
    ///
    /// # Errors
    /// [`Error::Invalid`] where the arrays have other shapes, or a number is not one that an estimate can have.
    pub fn from_arrays(info: EstimateInfo, arrays: EstimateArrays) -> Result<Self> {
        require_info(&info)?;
        require_shapes(&arrays)?;
        let EstimateArrays { power_sums, deflated, probes, steps } = arrays;
        require_rules("deflated", deflated.view(), &info)?;
        for rules in probes.outer_iter() {
            require_rules("probes", rules, &info)?;
        }
        let rules = probes.outer_iter().zip(&steps[1..]);
        let probes: Vec<Bracket> = rules.map(|(rows, &steps)| Bracket::from_rows(rows, steps, true)).collect();
        let deflated = Bracket::from_rows(deflated.view(), steps[0], false);
        require_power_sums(&power_sums, &deflated, &probes, &info)?;
        Ok(Self::new(info, power_sums, deflated, probes))
    }
}

/// Fails unless each number that describes an estimate is in its range.
fn require_info(info: &EstimateInfo) -> Result<()> {
    let require = |name, requirement: &str, value: f64, holds: bool| {
        if holds { Ok(()) } else { Err(Error::invalid(name, requirement, format!("{value:?}"))) }
    };
    let EstimateInfo { dim, products, rounding, entry_error, unit_roundoff, largest_modulus, .. } = *info;
    let most = 2f64.powi(MAX_EXPONENT);
    let bounded = largest_modulus > 0.0 && (largest_modulus <= most || largest_modulus == f64::INFINITY);
    require("dim", "from 1 to 2^53", dim as f64, (1..=MAX_COUNT).contains(&dim))?;
    require("products", "at most 2^53", products as f64, products <= MAX_COUNT)?;
    require("rounding", "positive and at most 1", rounding, rounding > 0.0 && rounding <= 1.0)?;
    require("entry_error", "from 0 to 1", entry_error, (0.0..=1.0).contains(&entry_error))?;
    require("unit_roundoff", "positive and at most 1", unit_roundoff, unit_roundoff > 0.0 && unit_roundoff <= 1.0)?;
    require("largest_modulus", "positive, and at most 2^400 or infinite", largest_modulus, bounded)
}

/// Fails unless arrays have the shapes of rules, and a rule has at least as many nodes as steps.
fn require_shapes(arrays: &EstimateArrays) -> Result<()> {
    let EstimateArrays { power_sums, deflated, probes, steps } = arrays;
    let rows = [ROWS, ROWS_WITHOUT_OUTER];
    for (name, shape) in [("deflated", deflated.shape()), ("probes", probes.shape())] {
        if !rows.contains(&shape[shape.len() - 2]) {
            return Err(Error::invalid(name, "of ten rows", format!("shape {shape:?}")));
        }
    }
    if power_sums.is_empty() || power_sums.len() > MAX_POWER_SUMS {
        return Err(Error::invalid("known", "one to three sums", power_sums.len()));
    }
    if steps.len() != 1 + probes.shape()[0] {
        return Err(Error::invalid("steps", format!("{} numbers", 1 + probes.shape()[0]), steps.len()));
    }
    // A vector has a node a step, and each block adds a node.
    let nodes = std::iter::once(deflated.ncols()).chain(std::iter::repeat(probes.shape()[2]));
    match steps.iter().zip(nodes).find(|&(&steps, nodes)| !(1..=nodes).contains(&steps)) {
        Some((steps, nodes)) => {
            Err(Error::invalid("steps", format!("from 1 to {nodes}, the number of nodes"), steps))
        }
        None => Ok(()),
    }
}

/// Fails unless the rules of one vector or block have finite nodes, weights of no negative sign, and one sum of them.
fn require_rules(name: &'static str, rows: ArrayView2<f64>, info: &EstimateInfo) -> Result<()> {
    let (n, most) = (info.dim as f64, 2f64.powi(MAX_EXPONENT));
    let mut first = None;
    for rule in rows.outer_iter().collect::<Vec<_>>().chunks_exact(2) {
        if let Some(node) = rule[0].iter().find(|node| node.is_nan() || node.abs() > most) {
            return Err(Error::invalid(name, "nodes of at most 2^400, and weights", format!("{node:?}")));
        }
        if let Some(weight) = rule[1].iter().find(|&&weight| !(0.0..=2.0 * n).contains(&weight)) {
            return Err(Error::invalid(name, format!("nodes, and weights from 0 to {n}"), format!("{weight:?}")));
        }
        let mass = rule[1].sum();
        let expected = *first.get_or_insert(mass);
        // An outer rule without weights is none.
        if (mass != 0.0 && (mass - expected).abs() > WEIGHTS_WITHIN * n) || mass > (1.0 + WEIGHTS_WITHIN) * n {
            let requirement = format!("rules with weights whose sum is {expected:?} each, at most {n}");
            return Err(Error::invalid(name, requirement, format!("{mass:?}")));
        }
    }
    Ok(())
}

/// Fails unless the known sums are those of a spectrum with these rules.
fn require_power_sums(sums: &[f64], deflated: &Bracket, probes: &[Bracket], info: &EstimateInfo) -> Result<()> {
    let n = info.dim as f64;
    let rules = std::iter::once(deflated).chain(probes).map(|bracket| &bracket.gauss);
    let nodes = rules.flat_map(|rule| rule.nodes.iter().zip(&rule.weights)).filter(|(_, weight)| **weight > 0.0);
    let unit = nodes.fold(0.0, |unit: f64, (node, _)| unit.max(node.abs()));
    if unit < 2f64.powi(-MAX_EXPONENT) {
        return Err(Error::invalid("deflated", "rules with a node of at least 2^-400", unit));
    }
    let count = n - deflated.gauss.mass();
    // An upper bound of all moduli; without one the largest node of a random vector is near the largest modulus.
    let reach = if info.largest_modulus.is_finite() { info.largest_modulus.max(unit) } else { n * unit };
    for (power, &sum) in sums.iter().enumerate() {
        let most = n * reach.powi(i32::try_from(power).unwrap_or(i32::MAX)) * (1.0 + WEIGHTS_WITHIN);
        if power == 0 && (sum - count).abs() > WEIGHTS_WITHIN * n || sum.is_nan() || sum.abs() > most {
            let requirement = format!("sums of 1, x and x^2 over {count} eigenvalues of at most {reach:e}");
            return Err(Error::invalid("known", requirement, format!("{sum:?} as sum {power}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::linalg::scalar::F64_ROUNDOFF;
    use crate::slq::rule::Rule;

    const INFO: EstimateInfo = EstimateInfo {
        dim: 8,
        positive_semidefinite: true,
        products: 5,
        rounding: 1e-10,
        entry_error: 0.0,
        unit_roundoff: F64_ROUNDOFF,
        largest_modulus: 1.0,
    };

    /// Rules of eight eigenvalues, three of which are deflated.
    fn estimate() -> Estimate {
        let rule = |nodes: &[f64], weights: &[f64]| Rule { nodes: nodes.to_vec(), weights: weights.to_vec() };
        let bracket = |node: f64, is_of_vector| {
            let ends = [rule(&[node], &[3.0]), rule(&[node, 0.25, 0.0], &[1.0, 1.0, 1.0])];
            let gauss = rule(&[node, 0.5], &[1.0, 2.0]);
            Bracket { outer: [gauss.clone(), Rule::default()], gauss, ends, steps: 2, is_of_vector }
        };
        Estimate::new(INFO, vec![5.0, 2.0], bracket(1.0, false), vec![bracket(0.6, true), bracket(0.7, true)])
    }

    #[test]
    fn arrays_give_the_estimate_back() {
        let estimate = estimate();
        let loaded = Estimate::from_arrays(INFO, estimate.to_arrays()).unwrap();
        assert_eq!(estimate.read(2.0, 1.0), loaded.read(2.0, 1.0));
        assert_eq!(estimate.read(9.0, 1.0), loaded.read(9.0, 1.0));
        assert_eq!(estimate.range(), (0.0, 1.0));
    }

    /// Each number out of its range is refused by its name, and those at the ends of the ranges are not.
    #[test]
    fn numbers_out_of_range_are_refused_by_name() {
        type Change = fn(&mut EstimateInfo, &mut EstimateArrays);
        let restored = |change: Change| {
            let (mut info, mut arrays) = (INFO, estimate().to_arrays());
            change(&mut info, &mut arrays);
            Estimate::from_arrays(info, arrays)
        };
        let wrong: [(&str, Change); 24] = [
            ("dim", |info, _| info.dim = 0),
            ("dim", |info, _| info.dim = MAX_COUNT + 1),
            ("products", |info, _| info.products = usize::MAX),
            ("rounding", |info, _| info.rounding = 0.0),
            ("rounding", |info, _| info.rounding = f64::INFINITY),
            ("entry_error", |info, _| info.entry_error = f64::NAN),
            ("unit_roundoff", |info, _| info.unit_roundoff = -1e-16),
            ("largest_modulus", |info, _| info.largest_modulus = 0.0),
            ("largest_modulus", |info, _| info.largest_modulus = 1e300),
            ("known", |info, _| info.dim = 9),
            ("known", |_, arrays| arrays.power_sums[1] = 8.1),
            ("known", |_, arrays| arrays.power_sums[1] = f64::NAN),
            ("known", |_, arrays| arrays.power_sums.clear()),
            ("steps", |_, arrays| arrays.steps[0] = 1 << 53),
            ("steps", |_, arrays| arrays.steps[2] = 0),
            ("steps", |_, arrays| arrays.steps.truncate(2)),
            ("deflated", |_, arrays| arrays.deflated = arrays.deflated.slice(ndarray::s![1.., ..]).to_owned()),
            ("deflated", |_, arrays| arrays.deflated[[1, 0]] = 1e300),
            ("deflated", |_, arrays| arrays.deflated[[1, 0]] = -1.0),
            ("deflated", |_, arrays| arrays.deflated[[3, 0]] = 4.0),
            ("deflated", |_, arrays| arrays.deflated[[4, 2]] = f64::INFINITY),
            ("probes", |_, arrays| arrays.probes[[1, 1, 0]] = 5.0),
            ("probes", |_, arrays| arrays.probes[[0, 0, 0]] = f64::NAN),
            ("deflated", |_, arrays| {
                arrays.deflated.outer_iter_mut().step_by(2).for_each(|mut row| row.fill(0.0));
                arrays.probes.fill(0.0);
            }),
        ];
        for (i, (name, change)) in wrong.into_iter().enumerate() {
            let error = restored(change).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name} must be ")), "{i}: {error}");
        }
        let fine: [Change; 5] = [
            |info, _| info.largest_modulus = f64::INFINITY,
            |info, _| (info.rounding, info.entry_error, info.unit_roundoff) = (1.0, 1.0, 1.0),
            |_, arrays| arrays.power_sums.truncate(1),
            |_, arrays| arrays.power_sums.push(8.0),
            |_, arrays| arrays.probes[[1, 0, 0]] = 1e100,
        ];
        for (i, change) in fine.into_iter().enumerate() {
            let estimate = restored(change).unwrap();
            for (t, order) in [(1e-300, 0.5), (0.5, 1.0), (1.0, 2.0), (30.0, f64::INFINITY), (1e300, 1e-300)] {
                let reading = estimate.read(t, order);
                let within =
                    [reading.value, reading.lower, reading.upper].iter().all(|bits| (0.0..=3.0).contains(bits));
                assert!(within && reading.standard_error.is_finite(), "{i} {t} {order}: {reading:?}");
            }
        }
    }

    #[test]
    fn rules_of_earlier_versions_have_six_rows() {
        let arrays = estimate().to_arrays();
        let six = |rows: &Array2<f64>| rows.slice(ndarray::s![..6, ..]).to_owned();
        let probes = arrays.probes.slice(ndarray::s![.., ..6, ..]).to_owned();
        let arrays = EstimateArrays { deflated: six(&arrays.deflated), probes, ..arrays };
        assert!(Estimate::from_arrays(INFO, arrays).unwrap().read(1.0, 1.0).value > 0.0);
    }
}
