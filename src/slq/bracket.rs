//! Bounds of an integral of f over a spectral measure: several rules for it, each of which errs to a known side.
//!
//! ```text
//! f(x) = |x|^s        f(x) = -|x|^s log2 |x|^s
//! ```
//!
//! Each rule bounds the first function from one side. It also bounds g = f + shift |x|^s, with f the second function and a
//! shift that gives the remainder one sign ([`crate::slq::remainder`]), so that with the bounds of |x|^s
//!
//! ```text
//! f <= rule of g - shift |x|^s from below,     f >= rule of g - shift |x|^s from above
//! ```

use ndarray::ArrayView2;

use crate::slq::integrand::Integrand;
use crate::slq::remainder::{Derivative, Resolvent};
use crate::slq::rule::Rule;

/// The nodes and the weights of the five rules of a [`Bracket`].
pub(crate) const ROWS: usize = 10;

/// Rules for an integral over a spectral measure, of one vector or of several.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bracket {
    /// The Gauss rule, of all that is known.
    pub gauss: Rule,
    /// Two rules whose errors on 1 / (x + tau) are positive and negative, or those on 1 / (x^2 + tau) where eigenvalues
    /// may be negative.
    pub ends: [Rule; 2],
    /// A Gauss rule of so many `steps` for each vector, and a rule with nodes at the ends of the spectrum
    /// ([`crate::slq::quadrature`]); empty where there is none.
    pub outer: [Rule; 2],
    /// The number of products with each vector.
    pub steps: usize,
    /// Whether all rules are those of one vector, so that `gauss` has a node a step.
    pub is_of_vector: bool,
}

/// How nodes are read: in which unit, and whether none is negative.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    /// The largest modulus of a node.
    pub unit: f64,
    /// An upper bound of all moduli, in that unit; none if no bound is known.
    pub reach: Option<f64>,
    /// The modulus up to which a node counts as 0, in that unit. Bounds are proofs where it is 0.
    pub floor: f64,
    /// Whether no eigenvalue is negative, so that a negative node is rounding.
    pub positive_semidefinite: bool,
}

impl Axis {
    /// The modulus of a node, in the unit of this axis.
    fn modulus(self, node: f64) -> f64 {
        (if self.positive_semidefinite { node.max(0.0) } else { node.abs() }) / self.unit
    }

    /// The sum of a function with f(x) = 0 up to the floor over the moduli of a rule.
    pub(crate) fn sum(self, rule: &Rule, f: Integrand) -> f64 {
        rule.sum(|node| self.at(node, f))
    }

    /// The sum of u^power over a rule, where u is x, or x^2 where eigenvalues may be negative.
    fn moment(self, rule: &Rule, power: usize) -> f64 {
        let power = power as f64 * if self.positive_semidefinite { 1.0 } else { 2.0 };
        rule.sum(|node| self.modulus(node).powf(power))
    }

    /// A function with f(x) = 0 up to the floor at the modulus of a node.
    pub(crate) fn at(self, node: f64, f: Integrand) -> f64 {
        let x = self.modulus(node);
        if x > self.floor { f.at(x) } else { 0.0 }
    }
}

/// A rule, and how it errs.
struct Judged<'a> {
    rule: &'a Rule,
    /// The sign of the error on |x|^s.
    power: f64,
    /// The sign of the error on the shifted entropy.
    entropy: f64,
    /// The shift, for a width of the bounds of |x|^s, and what the error may have beyond its sign; none without a bound.
    shift: Box<dyn Fn(f64) -> Option<(f64, f64)> + 'a>,
}

impl Bracket {
    /// A bracket of width zero, for a rule that is exact.
    pub(crate) fn exact(gauss: Rule) -> Self {
        let both = || [gauss.clone(), gauss.clone()];
        Self { ends: both(), outer: both(), steps: gauss.nodes.len(), is_of_vector: false, gauss }
    }

    /// Whether the Gauss rule is exact, so that both ends equal it.
    pub(crate) fn is_exact(&self) -> bool {
        self.ends.iter().all(|end| *end == self.gauss)
    }

    /// Multiplies each weight.
    pub(crate) fn scale(&mut self, factor: f64) {
        for rule in std::iter::once(&mut self.gauss).chain(&mut self.ends).chain(&mut self.outer) {
            rule.weights.iter_mut().for_each(|weight| *weight *= factor);
        }
    }

    /// Sets all rules to the Gauss rule, as if it were exact.
    pub(crate) fn assume_exact(&mut self) {
        *self = Self::exact(std::mem::take(&mut self.gauss));
    }

    /// The lower and the upper bound of the integral of f.
    pub(crate) fn bounds(&self, f: Integrand, axis: Axis) -> [f64; 2] {
        if self.is_exact() {
            return [axis.sum(&self.gauss, f); 2];
        }
        let s = f.exponent();
        let rules = self.judged(s, axis);
        let power = Integrand::Power(s);
        let sums: Vec<f64> = rules.iter().map(|judged| axis.sum(judged.rule, power)).collect();
        let mass = self.gauss.mass();
        let mut powers = power.range(axis.reach).map(|end| mass * end);
        for (judged, &sum) in rules.iter().zip(&sums) {
            tighten(&mut powers, judged.power, sum, sum);
        }
        let powers = ordered(powers);
        if f == power {
            return powers;
        }
        let mut bounds = f.range(axis.reach).map(|end| mass * end);
        // The functions of the remainders are natural logarithms of x, or of x^2.
        let scale = if axis.positive_semidefinite { s } else { s / 2.0 } / std::f64::consts::LN_2;
        for (judged, sum) in rules.iter().zip(sums) {
            let Some((shift, tail)) = (judged.shift)(powers[1] - powers[0]) else { continue };
            let entropy = axis.sum(judged.rule, f);
            let (shift, tail) = (scale * shift, scale * tail);
            let below = entropy + shift * (sum - powers[1]) - tail;
            let above = entropy + shift * (sum - powers[0]) + tail;
            tighten(&mut bounds, judged.entropy, below, above);
        }
        ordered(bounds)
    }

    /// The value of the integral of f, between its bounds.
    ///
    /// It is the middle of the sums of the two ends where these are exact to a degree of s and no eigenvalue is negative,
    /// otherwise the Gauss rule's.
    pub(crate) fn value(&self, f: Integrand, axis: Axis, [lower, upper]: [f64; 2]) -> f64 {
        let has_middle = axis.positive_semidefinite && f.exponent().floor() <= self.resolvent_degree(axis) as f64;
        let [one, other] = &self.ends;
        let middle = || f64::midpoint(axis.sum(one, f), axis.sum(other, f));
        let value = if has_middle { middle() } else { axis.sum(&self.gauss, f) };
        value.clamp(lower, upper)
    }

    /// The degree to which the two ends are exact, in x, or in x^2 where eigenvalues may be negative.
    fn resolvent_degree(&self, axis: Axis) -> usize {
        let steps = self.steps.saturating_sub(1);
        if axis.positive_semidefinite { 2 * steps } else { steps }
    }

    /// The rules that bound the integral of |x|^s, and how they err.
    fn judged(&self, s: f64, axis: Axis) -> Vec<Judged<'_>> {
        let [one, other] = &self.ends;
        let mut judged = Vec::with_capacity(5);
        let power = if axis.positive_semidefinite { s } else { s / 2.0 };
        let degree = self.resolvent_degree(axis);
        if let Some(resolvent) = Resolvent::new(power, degree) {
            // One of the two rules is exact one degree further, so that no integral of u^(degree + 1) is larger.
            let moment = axis.moment(one, degree + 1).max(axis.moment(other, degree + 1));
            for (rule, sign) in [(one, 1.0), (other, -1.0)] {
                let shift = move |width: f64| Some(resolvent.shift(width, moment));
                let (power, entropy) = (sign * resolvent.power, sign * resolvent.entropy);
                judged.push(Judged { rule, power, entropy, shift: Box::new(shift) });
            }
        }
        let [inner, outer] = &self.outer;
        let inner = if self.is_of_vector { &self.gauss } else { inner };
        let whole = 2 * self.steps;
        if axis.positive_semidefinite {
            judged.extend(by_derivative(inner, 1.0, s, whole, axis));
            judged.extend(by_derivative(outer, -1.0, s, whole - 1, axis));
            if self.is_of_vector {
                judged.extend(by_derivative(other, 1.0, s, whole - 1, axis));
            }
        } else if s >= whole as f64 {
            judged.extend(by_derivative(inner, 1.0, s, whole, axis));
            judged.extend(by_derivative(outer, -1.0, s, whole, axis));
        }
        judged
    }

    fn rules(&self) -> [&Rule; ROWS / 2] {
        let ([one, other], [inner, outer]) = (&self.ends, &self.outer);
        [&self.gauss, one, other, inner, outer]
    }

    /// Nodes and weights of the Gauss rule, of the two ends and of the two outer rules.
    pub(crate) fn rows(&self) -> [&[f64]; ROWS] {
        let rules = self.rules();
        std::array::from_fn(|i| if i % 2 == 0 { &rules[i / 2].nodes[..] } else { &rules[i / 2].weights[..] })
    }

    /// The bracket whose [`Bracket::rows`] these are. Without rows for them there are no outer rules.
    pub(crate) fn from_rows(rows: ArrayView2<f64>, steps: usize, is_of_vector: bool) -> Self {
        let rule = |i: usize| {
            let has_weights = 2 * i < rows.nrows() && rows.row(2 * i + 1).iter().any(|&weight| weight != 0.0);
            if !has_weights {
                return Rule::default();
            }
            Rule { nodes: rows.row(2 * i).to_vec(), weights: rows.row(2 * i + 1).to_vec() }
        };
        let outer = [rule(3), rule(4)];
        // Without outer rules, the number of steps is the least of several vectors.
        let is_of_vector = is_of_vector && !outer[0].nodes.is_empty();
        Self { gauss: rule(0), ends: [rule(1), rule(2)], outer, steps, is_of_vector }
    }
}

/// A rule whose error is `sign` times the derivative of this order; none where there is no rule.
fn by_derivative(rule: &Rule, sign: f64, s: f64, order: usize, axis: Axis) -> Option<Judged<'_>> {
    if rule.nodes.is_empty() {
        return None;
    }
    let derivative = Derivative::new(s, order);
    // Functions of |x| are those of x^2 here, whose logarithm is twice as large.
    let unit = if axis.positive_semidefinite { 1.0 } else { 2.0 };
    let shift = move |_width: f64| match derivative.shift {
        None => Some((0.0, 0.0)),
        Some(shift) => axis.reach.map(|reach| (unit * (shift + reach.ln()).max(0.0), 0.0)),
    };
    let (power, entropy) = (sign * derivative.power, sign * derivative.entropy);
    Some(Judged { rule, power, entropy, shift: Box::new(shift) })
}

/// Tightens a lower and an upper bound by a sum of a rule whose error has this sign.
fn tighten([lower, upper]: &mut [f64; 2], sign: f64, below: f64, above: f64) {
    if sign >= 0.0 {
        *lower = lower.max(below);
    }
    if sign <= 0.0 {
        *upper = upper.min(above);
    }
}

/// Bounds that rounding has not brought out of order.
fn ordered([lower, upper]: [f64; 2]) -> [f64; 2] {
    [lower.min(upper), upper.max(lower)]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ndarray::Array2;

    use super::*;
    use crate::runtime::parallel::{self, Job};
    use crate::slq::block_krylov::BlockKrylov;
    use crate::slq::diagonal::{Diagonal, noise};
    use crate::slq::lanczos::Lanczos;
    use crate::slq::quadrature::KnownRange;

    const N: u32 = 120;

    /// Spectra that are dense near 1, near 0 and on both sides of 0; and one with a multiple eigenvalue 1.
    fn spectra() -> Vec<Vec<f64>> {
        let at = |of: fn(f64) -> f64| (0..N).map(|i| of(f64::from(i) / f64::from(N - 1))).collect();
        vec![
            at(|v| (3.0 * v / 2.0).cos().powi(2)),
            at(|v| 1.0 - v.powi(3)),
            at(|v| (-6.0 * v).exp()),
            at(|v| (3.1 * v).cos()),
            at(|v| if v < 0.1 { 1.0 } else { 1.05 * (1.0 - v) - 0.3 }),
        ]
    }

    /// Brackets of vectors and of a block after so many steps, each with the squares of the vectors' entries.
    fn brackets(operator: &Diagonal, range: KnownRange, steps: usize) -> Vec<(Bracket, Vec<f64>)> {
        let n = operator.0.len();
        let start = noise(n, 4);
        let run = |job: &Job| {
            let none = Arc::new(Array2::zeros((n, 0)));
            let mut lanczos = Lanczos::new(operator, range, 1.0, start.clone(), none);
            let mut krylov = BlockKrylov::new(operator, noise(n, 3), job)?;
            krylov.extend(job)?;
            for _ in 0..steps {
                lanczos.step(job)?;
                krylov.extend(job)?;
            }
            let basis = krylov.basis(2);
            Ok((lanczos.rules(job)?, krylov.rules(2, range, job)?, basis))
        };
        let (of_vectors, of_block, basis) = parallel::run(1, || false, run).unwrap();
        let squares = start.columns().into_iter().map(|v| v.iter().map(|v| v * v).collect());
        let block = basis.rows().into_iter().map(|row| row.dot(&row)).collect();
        of_vectors.into_iter().zip(squares).chain([(of_block, block)]).collect()
    }

    fn axis(range: KnownRange) -> Axis {
        Axis { unit: 1.0, reach: range.above, floor: 0.0, positive_semidefinite: range.positive_semidefinite }
    }

    /// The facts about the eigenvalues of an operator, with and without a bound of their moduli.
    fn ranges(operator: &Diagonal) -> [KnownRange; 2] {
        [operator.range(), KnownRange { above: None, ..operator.range() }]
    }

    /// Bounds of both functions at powers below, at and above the degree of the rules, whole or not: never violated, and
    /// narrow once the rules are deep.
    #[test]
    fn bounds_hold_for_all_powers_and_close() {
        let powers = [0.3, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.7, 5.0, 6.0, 8.0, 9.0, 9.01, 13.3, 30.0, 100.0, 300.0];
        for spectrum in spectra() {
            let operator = Diagonal(spectrum);
            for (range, steps) in
                ranges(&operator).into_iter().flat_map(|r| [1, 2, 3, 5, 9, 20].map(|steps| (r, steps)))
            {
                for (bracket, squares) in brackets(&operator, range, steps) {
                    for f in powers.into_iter().flat_map(|s| [Integrand::Power(s), Integrand::Entropy(s)]) {
                        let at = |x: f64| if x == 0.0 { 0.0 } else { f.at(x.abs()) };
                        let exact: f64 = operator.0.iter().zip(&squares).map(|(&x, w)| w * at(x)).sum();
                        let mass: f64 = squares.iter().sum();
                        let bounds = bracket.bounds(f, axis(range));
                        // A node at 0 is off by the rounding of an eigenvalue, whose power is larger for s < 1.
                        let ([lower, upper], rounding) =
                            (bounds, mass * f64::max(1e-10, 1e-15_f64.powf(f.exponent())));
                        let case =
                            format!("{f:?} {steps} {range:?} {}: {lower} {exact} {upper}", bracket.is_of_vector);
                        assert!(lower - rounding <= exact && exact <= upper + rounding, "{case}");
                        let value = bracket.value(f, axis(range), bounds);
                        assert!(lower <= value && value <= upper, "{case} {value}");
                        if steps == 20 && range.above.is_some() && (1.0..=30.0).contains(&f.exponent()) {
                            assert!(upper - lower < 0.05 * mass, "{case}");
                        }
                    }
                }
            }
        }
    }

    /// Without an upper bound of the moduli, large powers have no upper bound, and small ones have.
    #[test]
    fn large_powers_need_a_bound_of_the_moduli() {
        let operator = Diagonal(spectra().swap_remove(0));
        let [_, range] = ranges(&operator);
        for (bracket, _) in brackets(&operator, range, 4) {
            let axis = axis(range);
            assert_eq!(bracket.bounds(Integrand::Power(20.0), axis)[1], f64::INFINITY);
            assert!(bracket.bounds(Integrand::Power(2.5), axis)[1].is_finite());
            assert!(bracket.bounds(Integrand::Entropy(2.5), axis)[0].is_finite());
            assert_eq!(bracket.bounds(Integrand::Entropy(20.0), axis)[0], f64::NEG_INFINITY);
            assert!(bracket.bounds(Integrand::Entropy(2.0), axis)[0].is_finite());
        }
    }

    #[test]
    fn rows_give_the_bracket_back() {
        let operator = Diagonal(spectra().swap_remove(0));
        for (bracket, _) in brackets(&operator, operator.range(), 4) {
            let longest = bracket.rows().iter().map(|row| row.len()).max().unwrap();
            let mut rows = Array2::zeros((ROWS, longest));
            for (mut row, values) in rows.rows_mut().into_iter().zip(bracket.rows()) {
                row.iter_mut().zip(values).for_each(|(entry, value)| *entry = *value);
            }
            let axis = axis(operator.range());
            let again = Bracket::from_rows(rows.view(), bracket.steps, bracket.is_of_vector);
            let without = Bracket::from_rows(rows.slice(ndarray::s![..6, ..]), bracket.steps, bracket.is_of_vector);
            for f in [Integrand::Power(2.5), Integrand::Entropy(40.0)] {
                assert_eq!(again.bounds(f, axis), bracket.bounds(f, axis));
                assert!(without.bounds(f, axis)[1] >= bracket.bounds(f, axis)[1]);
            }
        }
    }
}
