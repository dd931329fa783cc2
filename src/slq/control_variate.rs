//! Control variates for the probes: a quadratic with a known sum over the remaining spectrum.
//!
//! ```text
//! sum f = sum q + sum (f - q),     q = c0 + c1 x + c2 x^2
//! ```
//!
//! The part of the spectrum that is left to the probes has up to three known power sums (of 1, x and x^2), so that the sum
//! of q is known exactly and only f - q is estimated. The coefficients are the least squares fit of f on the nodes of *all
//! other* probes. A quadratic fitted to a probe itself is nearer to that probe than to the spectrum, which would move the
//! mean and hide the spread.

use ndarray::ArrayView1;

use crate::linalg::scaling::max_abs;
use crate::slq::rule::Rule;

/// The largest number of power sums that can be known.
pub(crate) const MAX_POWER_SUMS: usize = 3;

/// A pivot below this part of its diagonal entry is taken as zero.
const SINGULAR_PIVOT: f64 = 1e-12;

/// The normal equations, with their right side as the last column.
type Equations = [[f64; MAX_POWER_SUMS + 1]; MAX_POWER_SUMS];

/// The normal equations of the least squares fit of a quadratic to a function on nodes with weights.
#[derive(Clone)]
pub(crate) struct NormalEquations {
    equations: Equations,
    unit: f64,
}

impl NormalEquations {
    /// For each rule, the sum of the equations of all other rules.
    pub(crate) fn leave_one_out<'a>(
        rules: impl Iterator<Item = &'a Rule> + Clone,
        f: impl Fn(f64) -> f64,
    ) -> Vec<Self> {
        let largest = max_abs(rules.clone().map(|rule| ArrayView1::from(&rule.nodes)));
        let unit = if largest > 0.0 { largest } else { 1.0 };
        let own: Vec<Self> = rules.map(|rule| Self::new(rule, unit, &f)).collect();
        let zero = Self { equations: Default::default(), unit };
        // Sums of the rules before each one, so that no rule has to be subtracted.
        let sums = |parts: &mut dyn Iterator<Item = &Self>| -> Vec<Self> {
            parts.scan(zero.clone(), |sum, part| Some(std::mem::replace(sum, sum.plus(part)))).collect()
        };
        let (before, after) = (sums(&mut own.iter()), sums(&mut own.iter().rev()));
        before.iter().zip(after.iter().rev()).map(|(before, after)| before.plus(after)).collect()
    }

    fn new(rule: &Rule, unit: f64, f: impl Fn(f64) -> f64) -> Self {
        let mut equations = Equations::default();
        for (&node, &weight) in rule.nodes.iter().zip(&rule.weights) {
            let x = node / unit;
            let row = [1.0, x, x * x, f(node)];
            for i in 0..MAX_POWER_SUMS {
                for j in 0..=MAX_POWER_SUMS {
                    equations[i][j] += weight * row[i] * row[j];
                }
            }
        }
        Self { equations, unit }
    }

    fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        let others = other.equations.as_flattened();
        sum.equations.as_flattened_mut().iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        sum
    }

    /// The fit with the first `terms` terms of the quadratic.
    pub(crate) fn solve(self, terms: usize) -> Quadratic {
        Quadratic { coefficients: solve(self.equations, terms), unit: self.unit }
    }
}

/// The polynomial c0 + c1 x + c2 x^2, with x in units of `unit`.
pub(crate) struct Quadratic {
    coefficients: [f64; MAX_POWER_SUMS],
    unit: f64,
}

impl Quadratic {
    /// The value at a node.
    pub(crate) fn at(&self, x: f64) -> f64 {
        let [c0, c1, c2] = self.coefficients;
        let x = x / self.unit;
        c0 + x * (c1 + x * c2)
    }

    /// The sum over a spectrum with these power sums.
    pub(crate) fn sum(&self, power_sums: &[f64]) -> f64 {
        let units = [1.0, self.unit, self.unit.powi(2)];
        self.coefficients.iter().zip(power_sums).zip(units).map(|((c, sum), unit)| c * sum / unit).sum()
    }
}

/// Solves a symmetric, positive semi-definite system in its first `terms` unknowns by elimination.
///
/// An unknown with a pivot that is nearly zero is set to zero, which fits as well.
fn solve(mut normal: Equations, terms: usize) -> [f64; MAX_POWER_SUMS] {
    let sizes: [f64; MAX_POWER_SUMS] = std::array::from_fn(|i| normal[i][i]);
    let mut used = [false; MAX_POWER_SUMS];
    for pivot in 0..MAX_POWER_SUMS {
        used[pivot] = pivot < terms && normal[pivot][pivot] > SINGULAR_PIVOT * sizes[pivot];
        for row in 0..MAX_POWER_SUMS {
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
    std::array::from_fn(|i| if used[i] { normal[i][MAX_POWER_SUMS] / normal[i][i] } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Vec<Rule> {
        let rule = |nodes: &[f64], weights: &[f64]| Rule { nodes: nodes.to_vec(), weights: weights.to_vec() };
        vec![
            rule(&[0.1, 0.4, 0.3], &[5.0, 4.0, 1.0]),
            rule(&[0.2, 0.3], &[7.0, 1.0]),
            rule(&[0.05, 0.5], &[9.0, 2.0]),
        ]
    }

    /// The fit of a quadratic is that quadratic, so its sum follows from the power sums.
    #[test]
    fn a_quadratic_is_fitted_exactly() {
        let rules = rules();
        let f = |x: f64| 2.0 - 3.0 * x + 5.0 * x * x;
        let power_sums = [10.0, 2.5, 0.8];
        for fit in NormalEquations::leave_one_out(rules.iter(), f) {
            let fit = fit.solve(3);
            approx::assert_relative_eq!(fit.sum(&power_sums), 20.0 - 7.5 + 4.0, max_relative = 1e-10);
            approx::assert_relative_eq!(fit.at(0.7), f(0.7), max_relative = 1e-10);
        }
    }

    /// The fit to one node leaves its nearly singular directions at zero; without known sums there is no fit.
    #[test]
    fn singular_directions_have_the_coefficient_zero() {
        let rules = [Rule { nodes: vec![0.5], weights: vec![2.0] }, Rule { nodes: vec![0.5], weights: vec![3.0] }];
        for fit in NormalEquations::leave_one_out(rules.iter(), |x| x) {
            let fit = fit.clone().solve(3);
            approx::assert_relative_eq!(fit.at(0.5), 0.5, max_relative = 1e-14);
            assert_eq!(fit.coefficients[1..], [0.0, 0.0]);
        }
        let none = NormalEquations::leave_one_out(rules.iter(), |x| x).remove(0).solve(0);
        assert_eq!(none.coefficients, [0.0; 3]);
    }

    /// The fit of a rule does not change with the rule itself.
    #[test]
    fn each_fit_leaves_its_own_rule_out() {
        let (first, mut changed) = (rules(), rules());
        changed[1].weights[0] = 100.0;
        let solve = |rules: &[Rule]| NormalEquations::leave_one_out(rules.iter(), f64::sqrt).remove(1).solve(2);
        assert_eq!(solve(&first).coefficients, solve(&changed).coefficients);
    }
}
