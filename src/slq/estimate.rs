//! An estimated spectrum as quadrature nodes and weights, and the entropies that are read from it.
//!
//! ```text
//! tr f(K) = tr Q' f(K) Q + tr P f(K) P,    the first by rules of a block, the second as a mean over probes
//! ```
//!
//! Two uncertainties are reported. The *standard error* is that of the mean over probes, after a control variate
//! ([`crate::slq::control_variate`]). The *truncation bounds* are what the finite depth of the recurrences leaves open:
//! each probe and the block have a rule that errs to either side ([`crate::slq::integrand`]). That needs an operator
//! without negative eigenvalues. For others f is taken of |x|, and the bounds come through the square of the operator
//! ([`crate::slq::quadrature`]), which is wider. Where rules are not deep enough to bound a sum, a multiple of the
//! distance between them is taken, which has been seen to cover the error but is not proved to.

use ndarray::{Array2, Array3, ArrayView1, ArrayView2, ArrayView3};

use crate::error::{Error, Result};
use crate::linalg::scalar::F64_ROUNDOFF;
use crate::linalg::scaling::max_abs;
use crate::slq::control_variate::{MAX_POWER_SUMS, NormalEquations};
use crate::slq::integrand::Integrand;
use crate::slq::quadrature::Bracket;
use crate::slq::reading::{Reading, SpectralSum};

/// The nodes and the weights of the three rules of a [`Bracket`].
const ROWS: usize = 6;

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
    /// The degree up to which the rules of the deflated part integrate polynomials exactly.
    pub deflated_degree: usize,
    /// The degree up to which the rules of all probes integrate polynomials exactly.
    pub probe_degree: usize,
    /// An upper bound of the moduli of eigenvalues, as far as it is known.
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
    /// Where entries were given in less than f64, eigenvalues that are rounding count as 0. The bounds reach over the
    /// entropies with and without them.
    pub fn read(&self, t: f64, order: f64) -> Reading {
        let all = self.read_above(0.0, t, order);
        if self.info.unit_roundoff <= F64_ROUNDOFF {
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
    /// Negative nodes of an operator without negative eigenvalues show the size, up to 2 u |K|_F. Random errors of any other
    /// have the norm u |K|_F / sqrt(N), times a factor for sums that were computed in f32.
    fn rounding_of_entries(&self) -> f64 {
        let EstimateInfo { dim, positive_semidefinite, unit_roundoff, .. } = self.info;
        let error = unit_roundoff * self.frobenius_norm();
        if positive_semidefinite {
            return (-2.0 * self.range().0 / self.unit).min(2.0 * error);
        }
        let factor = if unit_roundoff > f64::from(f32::EPSILON) { 2.0 } else { 16.0 };
        factor * error / (dim as f64).sqrt()
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
        let (value, lower) = (reading.value.max(0.0), (reading.lower - rounding).max(0.0));
        // The entropy of N eigenvalues is largest where all are equal.
        let upper = (reading.upper + rounding).min((self.info.dim as f64).log2()).max(value);
        Reading { value, lower, upper, ..reading }
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
        estimate.info.largest_modulus = 0.0;
        estimate
    }

    /// The sum of f(|x|) over the spectrum, with x in units of the largest node and f(x) = 0 up to a `floor`.
    fn sum(&self, integrand: Integrand, floor: f64) -> SpectralSum {
        // In these units all x are at most 1, as the signs of derivatives require.
        let unit = if self.unit > 0.0 { self.unit } else { 1.0 };
        let positive = self.info.positive_semidefinite;
        // If no eigenvalue is negative, a negative node is rounding.
        let modulus = |x: f64| if positive { x.max(0.0) } else { x.abs() };
        let f = |x: f64| {
            let x = modulus(x) / unit;
            if x > floor { integrand.at(x) } else { 0.0 }
        };
        // The value and the two bounds by the rules of one bracket.
        let sums = |bracket: &Bracket, truncation_factor: Option<f64>| {
            let gauss = bracket.gauss.sum(f);
            if let Some(factor) = truncation_factor {
                let width = factor * bracket.distance(f, modulus, integrand.peak() * unit);
                return [gauss, gauss - width, gauss + width];
            }
            let [one, other] = bracket.ends.each_ref().map(|end| end.sum(f));
            let between = gauss.clamp(one.min(other), one.max(other));
            [if positive { f64::midpoint(one, other) } else { between }, one, other]
        };
        let [mut value, mut one, mut other] =
            sums(&self.deflated, integrand.truncation_factor(self.info.deflated_degree, positive));
        let probe_factor = integrand.truncation_factor(self.info.probe_degree, positive);
        let fits = NormalEquations::leave_one_out(self.probes.iter().map(|probe| &probe.gauss), f);
        let count = self.probes.len().max(1) as f64;
        let mut per_probe = Vec::with_capacity(self.probes.len());
        for (probe, fit) in self.probes.iter().zip(fits) {
            let quadratic = fit.solve(self.power_sums.len());
            let correction = quadratic.sum(&self.power_sums) - probe.gauss.sum(|x| quadratic.at(x));
            let [estimate, low, high] = sums(probe, probe_factor).map(|sum| sum + correction);
            (one, other, value) = (one + low / count, other + high / count, value + estimate / count);
            per_probe.push(estimate);
        }
        SpectralSum { value, one, other, per_probe }
    }

    /// The arrays of an estimate, without its [`EstimateInfo`]: known power sums; the deflated part, [6, nodes]; the probes,
    /// [probes, 6, nodes], filled up with weights of zero.
    ///
    /// The six rows are nodes and weights of the Gauss rule and of the two ends of the bracket.
    pub fn to_arrays(&self) -> (Vec<f64>, Array2<f64>, Array3<f64>) {
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
        (self.power_sums.clone(), deflated, probes)
    }

    /// Rebuilds an estimate from its information and the arrays of [`Estimate::to_arrays`].
    ///
    /// # Errors
    /// [`Error::Invalid`] where the arrays have other shapes, or their numbers are not finite.
    pub fn from_arrays(
        info: EstimateInfo,
        power_sums: Vec<f64>,
        deflated: ArrayView2<f64>,
        probes: ArrayView3<f64>,
    ) -> Result<Self> {
        let finite = power_sums.iter().chain(deflated).chain(probes).all(|value| value.is_finite());
        if deflated.nrows() != ROWS || probes.shape()[1] != ROWS || power_sums.len() > MAX_POWER_SUMS || !finite {
            let shapes = format!("{:?} and {:?}", deflated.shape(), probes.shape());
            return Err(Error::invalid("estimate", "of six rows of finite numbers each", shapes));
        }
        let probes = probes.outer_iter().map(Bracket::from_rows).collect();
        Ok(Self::new(info, power_sums, Bracket::from_rows(deflated), probes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slq::quadrature::Rule;

    fn rule(nodes: &[f64], weights: &[f64]) -> Rule {
        Rule { nodes: nodes.to_vec(), weights: weights.to_vec() }
    }

    fn estimate(degree: usize, power_sums: Vec<f64>, deflated: Bracket, probes: Vec<Bracket>) -> Estimate {
        let info = EstimateInfo {
            dim: 64,
            positive_semidefinite: true,
            products: 0,
            rounding: 1e-16,
            entry_error: 0.0,
            unit_roundoff: F64_ROUNDOFF,
            deflated_degree: degree,
            probe_degree: degree,
            largest_modulus: 1.0,
        };
        Estimate::new(info, power_sums, deflated, probes)
    }

    /// Rules that are consistent with a trace of zero give no bound, and the reading then has the trivial bounds.
    #[test]
    fn a_bound_that_has_no_value_is_none() {
        let gauss = rule(&[1.0, 0.5], &[1.0, 1.0]);
        let ends = [gauss.clone(), rule(&[0.9, 0.1], &[1.0, 1.0])];
        let read =
            |degree| estimate(degree, Vec::new(), Bracket { gauss: gauss.clone(), ends: ends.clone() }, Vec::new());
        let reading = read(2).read(30.0, 1.0);
        assert_eq!((reading.lower, reading.upper), (0.0, 6.0));
        let reading = read(30).read(30.0, 1.0);
        assert!(reading.upper < 1.0, "{reading:?}");
    }

    /// Known sums of the rest are exact whatever the probes are, and what all probes have in common has no error.
    #[test]
    fn known_sums_leave_nothing_to_chance() {
        let exact = |nodes: &[f64], weights: &[f64]| {
            let gauss = rule(nodes, weights);
            Bracket { ends: [gauss.clone(), gauss.clone()], gauss }
        };
        let probes = vec![
            exact(&[0.1, 0.4], &[5.0, 4.0]),
            exact(&[0.2, 0.3], &[7.0, 1.0]),
            exact(&[0.05, 0.5], &[9.0, 2.0]),
            exact(&[0.25], &[8.0]),
        ];
        let power_sums = vec![10.0, 2.5, 0.8];
        let estimate = estimate(100, power_sums, exact(&[1.0], &[1.0]), probes);
        let reading = estimate.read(1.0, 2.0);
        approx::assert_relative_eq!(reading.value, -(1.8_f64 / 3.5 / 3.5).log2(), max_relative = 1e-12);
        assert!(reading.standard_error < 1e-12);
        assert!(estimate.read(3.0, 1.0).standard_error > 1e-4);
    }

    #[test]
    fn arrays_give_the_estimate_back() {
        let bracket = |node: f64| Bracket {
            gauss: rule(&[node, 0.5], &[1.0, 2.0]),
            ends: [rule(&[node], &[3.0]), rule(&[node, 0.25, 0.0], &[1.0, 1.0, 1.0])],
        };
        let estimate = estimate(1, vec![5.0, 2.0], bracket(1.0), vec![bracket(0.6), bracket(0.7)]);
        let (power_sums, deflated, probes) = estimate.to_arrays();
        let loaded = Estimate::from_arrays(estimate.info(), power_sums, deflated.view(), probes.view()).unwrap();
        assert_eq!(estimate.read(2.0, 1.0), loaded.read(2.0, 1.0));
        assert_eq!(estimate.range(), (0.0, 1.0));
        let wrong =
            Estimate::from_arrays(estimate.info(), Vec::new(), deflated.slice(ndarray::s![1.., ..]), probes.view());
        assert!(wrong.unwrap_err().to_string().contains("six rows"));
    }
}
