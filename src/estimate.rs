//! An estimated spectrum, as nodes and weights, and what is read off it.
//!
//! There are two doubts. The *standard error* is that of the mean over probes. The *bracket* is what finite depth leaves:
//! for f = x^s and -x^t log x the derivatives of one order have one sign on (0, 1], so Gauss' rule errs to one side and
//! Gauss-Radau's with a node at 0 to the other, for each probe and for the block (Golub & Meurant, 2010). That needs an
//! operator without negative eigenvalues; of another, f is taken of |x|, and the bracket comes through the square of the
//! operator (see [`crate::quadrature`]), which is wider.
//!
//! Of the part that is left to the probes three sums can be known exactly, for f = 1, x and x^2, so the quadratic that
//! fits f best on the nodes is summed exactly, and chance has only what it leaves.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

use crate::error::{Error, Result};
use crate::quadrature::{Bracket, Rule};

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
        let z = self.total(|x| x.powf(t));
        let entropy: Box<dyn Fn(f64, f64) -> f64>;
        let other;
        if order.is_infinite() {
            other = z.clone();
            entropy = Box::new(|z, _| z.log2());
        } else if (order - 1.0).abs() < 1e-6 {
            other = self.total(|x| -x.powf(t) * (t * x.log2()));
            entropy = Box::new(|z, s| z.log2() + s / z);
        } else {
            other = self.total(|x| x.powf(t * order));
            entropy = Box::new(move |z, s| (s.log2() - order * z.log2()) / (1.0 - order));
        }
        let rounding =
            self.rounding_bits(t * order.min(1.0)) + 2.0 * self.about.error * (t * order.clamp(1.0, 2.0)).max(1.0);
        let reading = reading(&z, &other, &*entropy);
        let (value, lower) = (reading.value.max(0.0), (reading.lower - rounding).max(0.0));
        Reading { value, lower, upper: reading.upper + rounding, ..reading }
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

    /// The readings at each t and order.
    pub(crate) fn read_all(&self, times: &[f64], orders: &[f64]) -> Vec<Reading> {
        times.iter().flat_map(|&t| orders.iter().map(move |&order| self.read(t, order))).collect()
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
        estimate
    }

    /// The sum of f(|x|) over the spectrum, x in units of the largest node and f(0) = 0.
    fn total(&self, f: impl Fn(f64) -> f64) -> Total {
        let unit = if self.largest > 0.0 { self.largest } else { 1.0 };
        // Where no eigenvalue is negative, a node that is comes from rounding.
        let f = |x: f64| {
            let x = if self.about.positive { x } else { x.abs() } / unit;
            if x > 0.0 { f(x) } else { 0.0 }
        };
        let quadratic = Quadratic::fit(self.probes.iter().map(|probe| &probe.gauss), f, self.known.len());
        let known = if self.probes.is_empty() { 0.0 } else { quadratic.sum(&self.known) };
        let middle = |one: f64, other: f64, gauss: f64| {
            if self.about.positive { f64::midpoint(one, other) } else { gauss.clamp(one.min(other), one.max(other)) }
        };
        let count = self.probes.len().max(1) as f64;
        let [one, other] = &self.deflated.ends;
        let (mut one, mut other) = (one.sum(f) + known, other.sum(f) + known);
        let mut value = middle(one, other, self.deflated.gauss.sum(f) + known);
        let mut of_probes = Vec::with_capacity(self.probes.len());
        for probe in &self.probes {
            let fitted = probe.gauss.sum(|x| quadratic.at(x));
            let [low, high] = probe.ends.each_ref().map(|end| end.sum(f) - fitted);
            let own = middle(low, high, probe.gauss.sum(f) - fitted);
            (one, other, value) = (one + low / count, other + high / count, value + own / count);
            of_probes.push(own);
        }
        Total { one, other, value, of_probes }
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
    let (lower, upper) = corners
        .iter()
        .map(|&(z, s)| f(z, s))
        .filter(|corner| corner.is_finite())
        .fold((value, value), |(low, high), corner| (low.min(corner), high.max(corner)));
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
    if count <= KNOWN {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    // The quadratic was fitted to the same probes.
    let freedom = (count - KNOWN) as f64;
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

/// c0 + c1 x + c2 x^2, in units of the largest node.
struct Quadratic {
    coefficients: [f64; KNOWN],
    unit: f64,
}

impl Quadratic {
    /// By least squares on nodes and weights, with the first `terms` terms.
    fn fit<'a>(rules: impl Iterator<Item = &'a Rule> + Clone, f: impl Fn(f64) -> f64, terms: usize) -> Self {
        let unit = rules.clone().flat_map(|rule| &rule.nodes).fold(0.0, |unit: f64, node| unit.max(node.abs()));
        if unit == 0.0 {
            return Self { coefficients: [0.0; KNOWN], unit: 1.0 };
        }
        let mut normal = [[0.0; KNOWN + 1]; KNOWN];
        for (&node, &weight) in rules.flat_map(|rule| rule.nodes.iter().zip(&rule.weights)) {
            let x = node / unit;
            let row = [1.0, x, x * x, f(node)];
            for i in 0..KNOWN {
                for j in 0..=KNOWN {
                    normal[i][j] += weight * row[i] * row[j];
                }
            }
        }
        Self { coefficients: solve(normal, terms), unit }
    }

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
