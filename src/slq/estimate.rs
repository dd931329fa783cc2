//! An estimated spectrum as quadrature nodes and weights, and the entropies that are read from it.
//!
//! ```text
//! tr f(K) = tr Q' f(K) Q + tr P f(K) P,    the first by rules of a block, the second as a mean over probes
//! ```
//!
//! Two uncertainties are reported. The *standard error* is that of the mean over probes, after a control variate
//! ([`crate::slq::control_variate`]). The *truncation bounds* are what the finite depth of the recurrences leaves open:
//! each probe and the block have rules that err to either side ([`crate::slq::bracket`]).

use ndarray::{Array2, Array3, ArrayView1};

use crate::linalg::scalar::F64_ROUNDOFF;
use crate::linalg::scaling::max_abs;
use crate::slq::bracket::{Axis, Bracket, ROWS};
use crate::slq::control_variate::NormalEquations;
use crate::slq::integrand::Integrand;
use crate::slq::reading::{Reading, SpectralSum};

/// Orders this close to 1 are read as the Shannon entropy.
const SHANNON_WITHIN: f64 = 1e-6;

/// Quadrature nodes and weights of an operator's spectrum, from which entropies are read with their uncertainty.
#[derive(Debug, Clone)]
pub struct Estimate {
    info: EstimateInfo,
    /// The known sums of 1, x and x^2 over the part of the spectrum that is left to the probes.
    power_sums: Vec<f64>,
    /// The rules of the block, for the deflated part of the spectrum.
    deflated: Bracket,
    probes: Vec<Bracket>,
    /// The largest modulus of a node.
    unit: f64,
}

/// Facts about an estimate: its operator, its cost and its accuracy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EstimateInfo {
    /// The number N of eigenvalues.
    pub dim: usize,
    /// Whether no eigenvalue is negative, so that truncation bounds do not come through the square of the operator.
    pub positive_semidefinite: bool,
    /// The number of matrix-vector products.
    pub products: usize,
    /// The relative rounding error of products: a smaller part of the trace is not resolved.
    pub rounding: f64,
    /// The relative error of the operator's entries.
    pub entry_error: f64,
    /// The unit roundoff of the entries that the operator was made of, as they were given. The eigenvalues that it explains
    /// are rounding, as in docs/theory.md.
    pub unit_roundoff: f64,
    /// An upper bound of the moduli of eigenvalues; infinite if none is known.
    pub largest_modulus: f64,
}

impl Estimate {
    pub(crate) fn new(info: EstimateInfo, power_sums: Vec<f64>, deflated: Bracket, probes: Vec<Bracket>) -> Self {
        let rules = std::iter::once(&deflated).chain(&probes).map(|bracket| &bracket.gauss);
        let unit = max_abs(rules.map(|rule| ArrayView1::from(&rule.nodes)));
        Self { info, power_sums, deflated, probes, unit }
    }

    /// Facts about the operator, the cost and the accuracy.
    pub fn info(&self) -> EstimateInfo {
        self.info
    }

    /// The number of probes.
    pub(crate) fn probes(&self) -> usize {
        self.probes.len()
    }

    /// The Lanczos steps of the deepest probe; 1 without probes.
    pub(crate) fn depth(&self) -> usize {
        self.probes.iter().map(|probe| probe.gauss.nodes.len()).max().unwrap_or(1)
    }

    /// The smallest and the largest node, and zero: the spectrum reaches at least as far.
    pub fn range(&self) -> (f64, f64) {
        let rules = std::iter::once(&self.deflated).chain(&self.probes).map(|bracket| &bracket.gauss);
        let nodes = rules.flat_map(|rule| rule.nodes.iter().zip(&rule.weights)).filter(|(_, weight)| **weight > 0.0);
        nodes.fold((0.0, 0.0), |(low, high): (f64, f64), (&node, _)| (low.min(node), high.max(node)))
    }

    /// Reads the Renyi entropy of an order at a diffusion time t, in bits; both are positive.
    ///
    /// Where entries of an operator without negative eigenvalues were given in less than f64, eigenvalues that are rounding
    /// count as 0. The bounds reach over the entropies with and without them.
    pub fn read(&self, t: f64, order: f64) -> Reading {
        let all = self.read_above(0.0, t, order);
        if self.info.unit_roundoff <= F64_ROUNDOFF || !self.info.positive_semidefinite {
            return all;
        }
        let resolved = self.read_above(self.rounding_of_entries(), t, order);
        Reading {
            value: resolved.value,
            standard_error: resolved.standard_error.max(all.standard_error),
            lower: resolved.lower.min(all.lower),
            upper: resolved.upper.max(all.upper),
        }
    }

    /// The size up to which the rounding of given entries explains an eigenvalue, in units of the largest node.
    ///
    /// The negative nodes of an operator without negative eigenvalues show it; the norm of the errors is at most 2 u |K|_F.
    fn rounding_of_entries(&self) -> f64 {
        (-2.0 * self.range().0 / self.unit).min(2.0 * self.info.unit_roundoff * self.frobenius_norm())
    }

    /// The Frobenius norm of the operator, in units of the largest node.
    fn frobenius_norm(&self) -> f64 {
        self.sum(Integrand::Power(2.0), 0.0).value.max(0.0).sqrt()
    }

    /// Reads an entropy with eigenvalues up to `floor`, in units of the largest node, taken as 0.
    fn read_above(&self, floor: f64, t: f64, order: f64) -> Reading {
        let sum = |integrand| self.sum(integrand, floor);
        let z = sum(Integrand::Power(t));
        let mut reading = if order.is_infinite() {
            Reading::from_sums(&z, &z, &|z, _| z.log2())
        } else if (order - 1.0).abs() < SHANNON_WITHIN {
            Reading::from_sums(&z, &sum(Integrand::Entropy(t)), &|z, s| z.log2() + s / z)
        } else {
            let powers = sum(Integrand::Power(t * order));
            Reading::from_sums(&z, &powers, &|z, s| (s.log2() - order * z.log2()) / (1.0 - order))
        };
        if order.is_infinite() && self.unit > 0.0 {
            // Sums are in units of the largest node, and the largest eigenvalue may be larger.
            reading.lower -= t * (self.info.largest_modulus / self.unit).log2().max(0.0);
        }
        let rounding = self.rounding_bits(t * order.min(1.0))
            + 2.0 * self.info.entry_error * (t * order.clamp(1.0, 2.0)).max(1.0);
        // The entropy of N eigenvalues is largest where all are equal.
        let largest = (self.info.dim as f64).log2();
        let within = |bits: f64| bits.max(0.0).min(largest);
        if !reading.value.is_finite() {
            // The sums have no entropy, as where the corrections of the probes outweigh all: nothing is known.
            return Reading { value: within(reading.value), standard_error: largest, lower: 0.0, upper: largest };
        }
        let value = within(reading.value);
        let (lower, upper) = (within(reading.lower - rounding), within(reading.upper + rounding));
        let standard_error = if reading.standard_error.is_finite() { reading.standard_error } else { largest };
        Reading { value, standard_error, lower: lower.min(value), upper: upper.max(value) }
    }

    /// The most that an unresolved part of the trace, spread over all eigenvalues, adds to the entropy of their powers.
    fn rounding_bits(&self, power: f64) -> f64 {
        let (n, rounding) = (self.info.dim as f64, self.unresolved_part());
        let part = if power < 1.0 { n.powf(1.0 - power) * rounding.powf(power) } else { rounding };
        part.min(1.0) * (n / rounding).log2()
    }

    /// The part of the sum of moduli that is not resolved, by the rounding of products and of the given entries.
    ///
    /// Entries that are off by 2 u of themselves move the eigenvalues by at most sqrt(N) 2 u |K|_F together (Mirsky,
    /// "Symmetric gauge functions and unitarily invariant norms", 1960).
    fn unresolved_part(&self) -> f64 {
        let EstimateInfo { dim, rounding, unit_roundoff, .. } = self.info;
        if unit_roundoff <= F64_ROUNDOFF {
            return rounding;
        }
        let norm = self.frobenius_norm();
        let moduli = self.sum(Integrand::Power(1.0), 0.0).value.max(norm);
        rounding.max((dim as f64).sqrt() * 2.0 * unit_roundoff * norm / moduli)
    }

    /// A copy in which the rules of the probes count as exact.
    pub(crate) fn with_exact_probes(&self) -> Self {
        let mut estimate = self.clone();
        estimate.probes.iter_mut().for_each(Bracket::assume_exact);
        estimate
    }

    /// A copy in which the rules of the deflated part count as exact.
    pub(crate) fn with_exact_deflation(&self) -> Self {
        let mut estimate = self.clone();
        estimate.deflated.assume_exact();
        estimate.info.largest_modulus = estimate.unit;
        estimate
    }

    /// How nodes are read, in units of the largest node, with those up to `floor` taken as 0.
    fn axis(&self, floor: f64) -> Axis {
        let unit = if self.unit > 0.0 { self.unit } else { 1.0 };
        // Nodes at the ends of the spectrum may be beyond a bound that has become tighter since.
        let outer = std::iter::once(&self.deflated).chain(&self.probes).map(|bracket| &bracket.outer[1].nodes);
        let largest = self.info.largest_modulus.max(max_abs(outer.map(ArrayView1::from)));
        let reach = largest.is_finite().then(|| (largest / unit).max(1.0));
        Axis { unit, reach, floor, positive_semidefinite: self.info.positive_semidefinite }
    }

    /// The sum of f(|x|) over the spectrum, with x in units of the largest node and f(x) = 0 up to a `floor`.
    fn sum(&self, f: Integrand, floor: f64) -> SpectralSum {
        let axis = self.axis(floor);
        let mut bounds = self.deflated.bounds(f, axis);
        let mut value = self.deflated.value(f, axis, bounds);
        let fits = NormalEquations::leave_one_out(self.probes.iter().map(|probe| &probe.gauss), |x| axis.at(x, f));
        let count = self.probes.len().max(1) as f64;
        let mut per_probe = Vec::with_capacity(self.probes.len());
        for (probe, fit) in self.probes.iter().zip(fits) {
            let quadratic = fit.solve(self.power_sums.len());
            let correction = quadratic.sum(&self.power_sums) - probe.gauss.sum(|x| quadratic.at(x));
            let [lower, upper] = probe.bounds(f, axis);
            let estimate = probe.value(f, axis, [lower, upper]) + correction;
            bounds = [bounds[0] + (lower + correction) / count, bounds[1] + (upper + correction) / count];
            value += estimate / count;
            per_probe.push(estimate);
        }
        SpectralSum { value, bounds, per_probe }
    }

    /// The arrays of an estimate, without its [`EstimateInfo`]; [`Estimate::from_arrays`] restores it from both.
    pub fn to_arrays(&self) -> EstimateArrays {
        let longest = |bracket: &Bracket| bracket.rows().iter().map(|row| row.len()).max().unwrap_or(0);
        let mut deflated = Array2::zeros((ROWS, longest(&self.deflated)));
        for (mut row, values) in deflated.rows_mut().into_iter().zip(self.deflated.rows()) {
            row.iter_mut().zip(values).for_each(|(entry, value)| *entry = *value);
        }
        let mut probes = Array3::zeros((self.probes.len(), ROWS, self.probes.iter().map(longest).max().unwrap_or(0)));
        for (mut part, probe) in probes.outer_iter_mut().zip(&self.probes) {
            for (mut row, values) in part.rows_mut().into_iter().zip(probe.rows()) {
                row.iter_mut().zip(values).for_each(|(entry, value)| *entry = *value);
            }
        }
        let steps = std::iter::once(&self.deflated).chain(&self.probes).map(|bracket| bracket.steps).collect();
        EstimateArrays { power_sums: self.power_sums.clone(), deflated, probes, steps }
    }
}

/// The numbers that an estimate consists of, besides its [`EstimateInfo`].
#[derive(Debug, Clone, PartialEq)]
pub struct EstimateArrays {
    /// The known sums of 1, x and x^2 over the part of the spectrum that is left to probes: at most three.
    pub power_sums: Vec<f64>,
    /// The deflated part, [10, nodes]: nodes and weights of each of its five rules, filled up with weights of zero.
    pub deflated: Array2<f64>,
    /// The probes, [probes, 10, nodes].
    pub probes: Array3<f64>,
    /// The steps of the deflated part and of each probe, [1 + probes].
    pub steps: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slq::rule::Rule;

    fn rule(nodes: &[f64], weights: &[f64]) -> Rule {
        Rule { nodes: nodes.to_vec(), weights: weights.to_vec() }
    }

    fn bracket(gauss: Rule, ends: [Rule; 2], steps: usize) -> Bracket {
        let outer = [gauss.clone(), Rule::default()];
        Bracket { gauss, ends, outer, steps, is_of_vector: false }
    }

    fn estimate(power_sums: Vec<f64>, deflated: Bracket, probes: Vec<Bracket>) -> Estimate {
        let info = EstimateInfo {
            dim: 64,
            positive_semidefinite: true,
            products: 0,
            rounding: 1e-16,
            entry_error: 0.0,
            unit_roundoff: F64_ROUNDOFF,
            largest_modulus: 1.0,
        };
        Estimate::new(info, power_sums, deflated, probes)
    }

    /// Large powers have no bound without one of the moduli, and the reading then has the trivial bounds.
    #[test]
    fn a_bound_that_has_no_value_is_none() {
        let gauss = rule(&[1.0, 0.5], &[1.0, 1.0]);
        let ends = [gauss.clone(), rule(&[0.9, 0.1], &[1.0, 1.0])];
        let read = |steps, largest_modulus| {
            let estimate = estimate(Vec::new(), bracket(gauss.clone(), ends.clone(), steps), Vec::new());
            let info = EstimateInfo { largest_modulus, ..estimate.info() };
            Estimate::new(info, Vec::new(), estimate.deflated, Vec::new()).read(30.0, 1.0)
        };
        let reading = read(2, f64::INFINITY);
        assert_eq!((reading.lower, reading.upper), (0.0, 6.0));
        for reading in [read(30, f64::INFINITY), read(2, 1.0)] {
            assert!(reading.upper < 6.0, "{reading:?}");
        }
    }

    /// Known sums of the rest are exact whatever the probes are, and what all probes have in common has no error.
    #[test]
    fn known_sums_leave_nothing_to_chance() {
        let exact = |nodes: &[f64], weights: &[f64]| Bracket::exact(rule(nodes, weights));
        let probes = vec![
            exact(&[0.1, 0.4], &[5.0, 4.0]),
            exact(&[0.2, 0.3], &[7.0, 1.0]),
            exact(&[0.05, 0.5], &[9.0, 2.0]),
            exact(&[0.25], &[8.0]),
        ];
        let power_sums = vec![10.0, 2.5, 0.8];
        let estimate = estimate(power_sums, exact(&[1.0], &[1.0]), probes);
        let reading = estimate.read(1.0, 2.0);
        approx::assert_relative_eq!(reading.value, -(1.8_f64 / 3.5 / 3.5).log2(), max_relative = 1e-12);
        assert!(reading.standard_error < 1e-12);
        assert!(estimate.read(3.0, 1.0).standard_error > 1e-4);
    }

    /// Nodes of an operator without negative eigenvalues count as 0 up to twice the most negative one, if its entries were
    /// given in f32. The bounds reach over the entropy with them.
    #[test]
    fn rounding_of_given_entries_is_not_read() {
        let u = f64::from(f32::EPSILON) / 2.0;
        let noise = u / 8.0;
        let gauss = rule(&[1.0, 0.5, 1.5 * noise, -noise], &[1.0, 1.0, 30.0, 32.0]);
        let mut estimate = estimate(Vec::new(), Bracket::exact(gauss), Vec::new());
        let all = estimate.read(1.0, 0.5);
        estimate.info.unit_roundoff = u;
        let resolved = estimate.read(1.0, 0.5);
        let expected = 2.0 * ((1.0 + 0.5_f64.sqrt()) / 1.5_f64.sqrt()).log2();
        approx::assert_relative_eq!(resolved.value, expected, max_relative = 1e-12);
        assert!(all.value > expected + 1e-3 && resolved.upper >= all.value, "{all:?} {resolved:?}");
        // The part of the sum of moduli that the errors move together at most, sqrt(64) 2 u |K|_F (Mirsky).
        let part = 8.0 * 2.0 * u * 1.25_f64.sqrt() / (1.5 + 45.0 * noise);
        approx::assert_relative_eq!(estimate.unresolved_part(), part, max_relative = 1e-9);
        estimate.info.positive_semidefinite = false;
        assert!(estimate.read(1.0, 0.5).value > expected + 1e-3);
    }
}
