//! An estimated spectrum, as nodes and weights, and what is read off it.
//!
//! There are two doubts. The *standard error* is that of the mean over probes. The *bracket* is what finite depth leaves:
//! for f = x^s and -x^s log x the derivatives of one order have one sign on (0, 1], so Gauss' rule errs to one side and
//! Gauss-Radau's with a node at 0 to the other, for each probe and for the block (Golub & Meurant, 2010). That needs an
//! operator without negative eigenvalues; of another, f is taken of |x|, and the bracket comes through the square of the
//! operator (see [`crate::quadrature`]), which is wider. All this needs rules that are exact for polynomials up to degree
//! s, and for -x^s log x and an s that is not whole to a somewhat higher one; where they are not deep enough for that, the
//! distance between them is taken several times, which has been seen to cover the error but is not proved to.
//!
//! Of the part that is left to the probes three sums can be known exactly, for f = 1, x and x^2, so the quadratic that
//! fits f best on the nodes is summed exactly, and chance has only what it leaves. For each probe it is fitted to the
//! others: fitted to itself too, it would take some of the probe's chance for the spectrum.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

use crate::error::{Error, Result};
use crate::slq::quadrature::{Bracket, Rule};

/// Of the sums that can be known.
const KNOWN: usize = 3;

/// Of nodes and weights of the three rules of a [`Bracket`].
const ROWS: usize = 6;

/// Nodes and weights of an operator's spectrum, with what is known of their errors.
#[derive(Debug, Clone)]
pub struct Estimate {
    about: About,
    /// The sums of 1, x and x^2 over the part that is left to the probes, as far as they are known.
    known: Vec<f64>,
    deflated: Bracket,
    probes: Vec<Bracket>,
    largest: f64,
}

/// What an estimate says of its operator, and of how it was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct About {
    /// N, the number of eigenvalues.
    pub dim: usize,
    /// Whether none is negative, so that brackets are those of the operator and not of its square.
    pub positive: bool,
    /// Products of the operator with a vector.
    pub products: usize,
    /// The part of the trace below which nothing is known.
    pub rounding: f64,
    /// The relative error of the operator's entries.
    pub error: f64,
    /// Up to which degree the rules of the deflated part integrate polynomials exactly, and those of the probes.
    pub degrees: [usize; 2],
    /// No eigenvalue has a larger modulus, as far as is known.
    pub largest: f64,
}

/// A number that is read off an estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// In bits: the middle of the bracket; by Gauss' rule, within it, where eigenvalues may be negative.
    pub value: f64,
    /// One standard error of the sampling; three cover it as three of a normal distribution do (Student).
    pub standard_error: f64,
    /// The lower end of the bracket around the value.
    pub lower: f64,
    /// Its upper end. Rounding is in both.
    pub upper: f64,
}

impl Reading {
    /// How far the bracket reaches from the value.
    pub(crate) fn reach(&self) -> f64 {
        (self.upper - self.value).max(self.value - self.lower)
    }

    pub(crate) fn doubt(&self) -> f64 {
        self.standard_error + self.reach()
    }
}

impl Estimate {
    pub(crate) fn new(about: About, known: Vec<f64>, deflated: Bracket, probes: Vec<Bracket>) -> Self {
        let rules = std::iter::once(&deflated).chain(&probes).map(|bracket| &bracket.gauss);
        let largest = rules.flat_map(|rule| &rule.nodes).fold(0.0, |largest: f64, node| largest.max(node.abs()));
        Self { about, known, deflated, probes, largest }
    }

    /// What it says of its operator, and of how it was made.
    pub fn about(&self) -> About {
        self.about
    }

    /// The number of probes.
    pub(crate) fn probes(&self) -> usize {
        self.probes.len()
    }

    /// The smallest and the largest node: there are eigenvalues as small, and as large.
    pub fn range(&self) -> (f64, f64) {
        let rules = std::iter::once(&self.deflated).chain(&self.probes).map(|bracket| &bracket.gauss);
        let nodes = rules.flat_map(|rule| rule.nodes.iter().zip(&rule.weights)).filter(|(_, weight)| **weight > 0.0);
        nodes.fold((0.0, 0.0), |(low, high): (f64, f64), (&node, _)| (low.min(node), high.max(node)))
    }

    /// The entropy of order `order` at `t`, in bits; both positive.
    pub fn read(&self, t: f64, order: f64) -> Reading {
        // In units of the largest node: the signs of derivatives are those of x <= 1.
        let z = self.total(&Integrand { f: &|x| x.powf(t), power: t, peak: None });
        let entropy: Box<dyn Fn(f64, f64) -> f64>;
        let other;
        if order.is_infinite() {
            other = z.clone();
            entropy = Box::new(|z, _| z.log2());
        } else if (order - 1.0).abs() < 1e-6 {
            let f = |x: f64| -x.powf(t) * (t * x.log2());
            other = self.total(&Integrand { f: &f, power: t, peak: Some((-1.0 / t).exp()) });
            entropy = Box::new(|z, s| z.log2() + s / z);
        } else {
            other = self.total(&Integrand { f: &|x| x.powf(t * order), power: t * order, peak: None });
            entropy = Box::new(move |z, s| (s.log2() - order * z.log2()) / (1.0 - order));
        }
        let rounding =
            self.rounding_bits(t * order.min(1.0)) + 2.0 * self.about.error * (t * order.clamp(1.0, 2.0)).max(1.0);
        let mut reading = reading(&z, &other, &*entropy);
        if order.is_infinite() && self.largest > 0.0 {
            // The unit is a node, and the largest eigenvalue may be larger.
            reading.lower -= t * (self.about.largest / self.largest).log2().max(0.0);
        }
        let (value, lower) = (reading.value.max(0.0), (reading.lower - rounding).max(0.0));
        // No entropy is larger than that of as many equal eigenvalues.
        let upper = (reading.upper + rounding).min((self.about.dim as f64).log2()).max(value);
        Reading { value, lower, upper, ..reading }
    }

    /// What an unknown part of the trace, spread over all eigenvalues, can add to an entropy of their powers.
    fn rounding_bits(&self, power: f64) -> f64 {
        let (n, rounding) = (self.about.dim as f64, self.about.rounding);
        let part = if power < 1.0 { n.powf(1.0 - power) * rounding.powf(power) } else { rounding };
        part.min(1.0) * (n / rounding).log2()
    }

    /// All that an estimate is besides [`About`], as numbers: what is known; the deflated part, [6, nodes]; the probes,
    /// [probes, 6, nodes], filled up with weights of zero. The six are nodes and weights of Gauss' rule and of the two
    /// that bracket.
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
        (self.known.clone(), deflated, probes)
    }

    /// The estimate that [`Estimate::to_arrays`] gave away.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the arrays have other shapes, or their numbers are not finite.
    pub fn from_arrays(
        about: About,
        known: Vec<f64>,
        deflated: ArrayView2<f64>,
        probes: ArrayView3<f64>,
    ) -> Result<Self> {
        let finite = known.iter().chain(deflated).chain(probes).all(|value| value.is_finite());
        if deflated.nrows() != ROWS || probes.shape()[1] != ROWS || known.len() > KNOWN || !finite {
            let shapes = format!("{:?} and {:?}", deflated.shape(), probes.shape());
            return Err(Error::invalid("estimate", "of six rows of finite numbers each", shapes));
        }
        let probes = probes.outer_iter().map(Bracket::from_rows).collect();
        Ok(Self::new(about, known, Bracket::from_rows(deflated), probes))
    }

    /// Steps of the deepest probe.
    pub(crate) fn depth(&self) -> usize {
        self.probes.iter().map(|probe| probe.gauss.nodes.len()).max().unwrap_or(1)
    }

    /// As if the probes had been exact.
    pub(crate) fn without_depth_of_probes(&self) -> Self {
        let mut estimate = self.clone();
        estimate.probes.iter_mut().for_each(Bracket::close);
        estimate
    }

    /// As if the deflated part had been exact.
    pub(crate) fn without_depth_of_deflated(&self) -> Self {
        let mut estimate = self.clone();
        estimate.deflated.close();
        estimate.about.largest = 0.0;
        estimate
    }

    /// The sum of f(|x|) over the spectrum, x in units of the largest node and f(0) = 0.
    fn total(&self, integrand: &Integrand) -> Total {
        let unit = if self.largest > 0.0 { self.largest } else { 1.0 };
        let modulus = |x: f64| if self.about.positive { x.max(0.0) } else { x.abs() };
        // Where no eigenvalue is negative, a node that is comes from rounding.
        let f = |x: f64| {
            let x = modulus(x) / unit;
            if x > 0.0 { (integrand.f)(x) } else { 0.0 }
        };
        // Gauss' rule and the two that bracket; the value is in the middle, or by Gauss' rule.
        let [of_deflated, of_probes] =
            self.about.degrees.map(|degree| integrand.times_the_distance(degree, self.about.positive));
        let sums = |bracket: &Bracket, times: Option<f64>| {
            let gauss = bracket.gauss.sum(f);
            if let Some(times) = times {
                let reach = times * bracket.distance(f, modulus, integrand.peak.unwrap_or(1.0) * unit);
                return [gauss, gauss - reach, gauss + reach];
            }
            let [one, other] = bracket.ends.each_ref().map(|end| end.sum(f));
            let between = gauss.clamp(one.min(other), one.max(other));
            [if self.about.positive { f64::midpoint(one, other) } else { between }, one, other]
        };
        let [mut value, mut one, mut other] = sums(&self.deflated, of_deflated);
        let fits = Normal::of_each(self.probes.iter().map(|probe| &probe.gauss), f);
        let count = self.probes.len().max(1) as f64;
        let mut values = Vec::with_capacity(self.probes.len());
        for (probe, fit) in self.probes.iter().zip(fits) {
            let quadratic = fit.solved(self.known.len());
            let known = quadratic.sum(&self.known) - probe.gauss.sum(|x| quadratic.at(x));
            let [own, low, high] = sums(probe, of_probes).map(|sum| sum + known);
            (one, other, value) = (one + low / count, other + high / count, value + own / count);
            values.push(own);
        }
        Total { one, other, value, of_probes: values }
    }
}

/// A function that is summed over the spectrum: x^s or -x^s log x.
struct Integrand<'a> {
    f: &'a dyn Fn(f64) -> f64,
    /// s.
    power: f64,
    /// Of the latter: up to here it rises, from there on it falls.
    peak: Option<f64>,
}

impl Integrand<'_> {
    /// None where rules that are exact up to `degree` bracket the sum. Else what the distance between them is to be
    /// multiplied by. They resolve the upper end of the spectrum to 1 / degree^2, the function varies over 1 / s there.
    /// Measured: of powers 3 to 50 by rules of degree 2, 4 and 6, on spectra that are dense at the upper end, the error of
    /// Gauss' rule is at most 0.75 times this.
    fn times_the_distance(&self, degree: usize, positive: bool) -> Option<f64> {
        // Through the square it is a function of y = x^2.
        let (power, of_function) = if positive { (self.power, degree) } else { (self.power / 2.0, degree / 2) };
        let has_one_sign = || {
            // The next derivative of -x^s log x is a multiple of x^(s - d - 1) (log x + this sum).
            let sum: f64 = (0..=of_function).map(|i| (power - i as f64).recip()).sum();
            power.fract() == 0.0 || sum <= 1e-12
        };
        let bracket = power.floor() <= of_function as f64 && (self.peak.is_none() || has_one_sign());
        (!bracket).then(|| 2.0 * (self.power / (degree as f64 + 1.0).powi(2)).max(1.0))
    }
}

/// A sum over the spectrum by both rules, between them, and what each probe makes of it.
#[derive(Clone)]
struct Total {
    one: f64,
    other: f64,
    value: f64,
    of_probes: Vec<f64>,
}

/// `f(z, s)` of two sums: at their values, at the corners of what the rules leave, and its error by the delta method.
fn reading(z: &Total, s: &Total, f: &dyn Fn(f64, f64) -> f64) -> Reading {
    let value = f(z.value, s.value);
    let corners = [(z.one, s.one), (z.one, s.other), (z.other, s.one), (z.other, s.other)];
    let (mut lower, mut upper) = (value, value);
    for corner in corners.map(|(z, s)| f(z, s)) {
        // Where it has no value there is no bound.
        let [low, high] = if corner.is_finite() { [corner; 2] } else { [f64::NEG_INFINITY, f64::INFINITY] };
        (lower, upper) = (lower.min(low), upper.max(high));
    }
    // Central differences: f is smooth, and both sums are far from 0 where it matters.
    let derivative = |by_z: f64, by_s: f64| {
        let (step_z, step_s) = (1e-5 * z.value.abs() * by_z, 1e-5 * s.value.abs() * by_s);
        let change = f(z.value + step_z, s.value + step_s) - f(z.value - step_z, s.value - step_s);
        let step = 2.0 * (step_z + step_s);
        if step > 0.0 { change / step } else { 0.0 }
    };
    let (by_z, by_s) = (derivative(1.0, 0.0), derivative(0.0, 1.0));
    let of_probes: Vec<f64> = z.of_probes.iter().zip(&s.of_probes).map(|(z, s)| by_z * z + by_s * s).collect();
    Reading { value, standard_error: standard_error(&of_probes), lower, upper }
}

/// Of the mean, as many standard deviations of a normal distribution wide as Student's is at three of them.
fn standard_error(values: &[f64]) -> f64 {
    let count = values.len();
    if count < 2 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    let freedom = (count - 1) as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / freedom;
    (variance / count as f64).sqrt() * student(3.0, freedom) / 3.0
}

/// The quantile of Student's distribution where the normal one has z (Cornish & Fisher, 1937).
fn student(z: f64, freedom: f64) -> f64 {
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / freedom + second / freedom.powi(2) + third / freedom.powi(3)
}

/// The normal equations of the quadratic that is nearest to a function on nodes and weights.
#[derive(Clone)]
struct Normal {
    equations: [[f64; KNOWN + 1]; KNOWN],
    unit: f64,
}

impl Normal {
    /// Of each rule, those of all others together: what is fitted to a probe itself is nearer to it than to the spectrum,
    /// which would move the mean and hide the spread.
    fn of_each<'a>(rules: impl Iterator<Item = &'a Rule> + Clone, f: impl Fn(f64) -> f64) -> Vec<Self> {
        let largest = rules.clone().flat_map(|rule| &rule.nodes).fold(0.0, |unit: f64, node| unit.max(node.abs()));
        let unit = if largest > 0.0 { largest } else { 1.0 };
        let own: Vec<Self> = rules.map(|rule| Self::of(rule, unit, &f)).collect();
        let nothing = Self { equations: Default::default(), unit };
        let sums = |parts: &mut dyn Iterator<Item = &Self>| -> Vec<Self> {
            parts.scan(nothing.clone(), |sum, part| Some(std::mem::replace(sum, sum.plus(part)))).collect()
        };
        let (before, after) = (sums(&mut own.iter()), sums(&mut own.iter().rev()));
        before.iter().zip(after.iter().rev()).map(|(before, after)| before.plus(after)).collect()
    }

    fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        let others = other.equations.as_flattened();
        sum.equations.as_flattened_mut().iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        sum
    }

    fn of(rule: &Rule, unit: f64, f: impl Fn(f64) -> f64) -> Self {
        let mut equations = [[0.0; KNOWN + 1]; KNOWN];
        for (&node, &weight) in rule.nodes.iter().zip(&rule.weights) {
            let x = node / unit;
            let row = [1.0, x, x * x, f(node)];
            for i in 0..KNOWN {
                for j in 0..=KNOWN {
                    equations[i][j] += weight * row[i] * row[j];
                }
            }
        }
        Self { equations, unit }
    }

    /// With the first `terms` terms.
    fn solved(self, terms: usize) -> Quadratic {
        Quadratic { coefficients: solve(self.equations, terms), unit: self.unit }
    }
}

/// c0 + c1 x + c2 x^2, x in units of `unit`.
struct Quadratic {
    coefficients: [f64; KNOWN],
    unit: f64,
}

impl Quadratic {
    fn at(&self, x: f64) -> f64 {
        let [c0, c1, c2] = self.coefficients;
        let x = x / self.unit;
        c0 + x * (c1 + x * c2)
    }

    fn sum(&self, known: &[f64]) -> f64 {
        let units = [1.0, self.unit, self.unit.powi(2)];
        self.coefficients.iter().zip(known).zip(units).map(|((c, known), unit)| c * known / unit).sum()
    }
}

/// A symmetric, positive system in the first `terms` unknowns, by elimination; what is nearly singular gets the
/// coefficient 0, which is as good a fit.
fn solve(mut normal: [[f64; KNOWN + 1]; KNOWN], terms: usize) -> [f64; KNOWN] {
    let sizes: [f64; KNOWN] = std::array::from_fn(|i| normal[i][i]);
    let mut used = [false; KNOWN];
    for pivot in 0..KNOWN {
        used[pivot] = pivot < terms && normal[pivot][pivot] > 1e-12 * sizes[pivot];
        for row in 0..KNOWN {
            if !used[pivot] || row == pivot {
                continue;
            }
            let factor = normal[row][pivot] / normal[pivot][pivot];
            let eliminated = normal[pivot];
            for (entry, other) in normal[row].iter_mut().zip(eliminated) {
                *entry -= factor * other;
            }
        }
    }
    std::array::from_fn(|i| if used[i] { normal[i][KNOWN] / normal[i][i] } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(nodes: &[f64], weights: &[f64]) -> Rule {
        Rule { nodes: nodes.to_vec(), weights: weights.to_vec() }
    }

    fn estimate(degree: usize, known: Vec<f64>, deflated: Bracket, probes: Vec<Bracket>) -> Estimate {
        let degrees = [degree; 2];
        let about =
            About { dim: 64, positive: true, products: 0, rounding: 1e-16, error: 0.0, degrees, largest: 1.0 };
        Estimate::new(about, known, deflated, probes)
    }

    /// Rules that could as well be of no trace at all say nothing, and that is said.
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

    /// What is known of the rest is exact whatever the probes are, and what all probes have in common has no error.
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
        let known = vec![10.0, 2.5, 0.8];
        let estimate = estimate(100, known, exact(&[1.0], &[1.0]), probes);
        let reading = estimate.read(1.0, 2.0);
        approx::assert_relative_eq!(reading.value, -(1.8_f64 / 3.5 / 3.5).log2(), max_relative = 1e-12);
        assert!(reading.standard_error < 1e-12);
        assert!(estimate.read(3.0, 1.0).standard_error > 1e-4);
    }
}
