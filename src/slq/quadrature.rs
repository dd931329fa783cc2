//! Quadrature rules for e' f(K) e, from what a recurrence has found of K.
//!
//! After k steps from a vector v the tridiagonal T has, in its eigenvalues and the squared first entries of its
//! eigenvectors, a quadrature rule for v' f(K) v that is exact for polynomials of degree 2k - 1 (Gauss); with its last
//! entry changed such that 0 is an eigenvalue, one that is exact to degree 2k - 2 (Gauss-Radau): Golub & Meurant,
//! "Matrices, moments and quadrature with applications" (2010). Of a block of vectors the same holds with blocks.
//!
//! Where K may have negative eigenvalues, functions of |K| are bracketed through K^2, in the space that products with K
//! have spanned. With V a basis of it, J = V' K^2 V has eigenpairs (y, u), and for e in that space, with K e in it,
//!
//! ```text
//! sum (u' e)^2 h(y),        sum (u' V' K e)^2 / y h(y) + (what is left of e' e) h(0)
//! ```
//!
//! err to opposite sides of e' h(K^2) e for h = y^s and -y^s log y: these are integrals of c / (y + tau) and a polynomial of
//! y that both rules integrate exactly, and of (K^2 + tau)^-1 a subspace gives a lower bound; the second rule is that
//! bound for K e, since e' (K^2 + tau)^-1 e = (e' e - e' K (K^2 + tau)^-1 K e) / tau.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};
use ndarray_linalg::{JobSvd, SVDDC};

use crate::error::Result;
use crate::linalg::{lapack_error, symmetric_eigenpairs};

/// The size up to which moduli are singular values; beyond, where no spectrum is of low rank, roots of eigenvalues, which
/// take a third of the time.
const PRECISE_UP_TO: usize = 128;

/// Nodes and weights: an integral of f is estimated by the sum of `weight f(node)`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rule {
    pub nodes: Vec<f64>,
    pub weights: Vec<f64>,
}

impl Rule {
    pub(crate) fn sum(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.nodes.iter().zip(&self.weights).map(|(&node, weight)| weight * f(node)).sum()
    }
}

/// The same integral by Gauss' rule for K, and by two rules between which it lies for the functions that
/// [`crate::stochastic`] asks of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bracket {
    pub gauss: Rule,
    /// Of an operator without negative eigenvalues Gauss' and Gauss-Radau's, of another those through its square.
    pub ends: [Rule; 2],
}

impl Bracket {
    /// Of a rule that is exact.
    fn point(gauss: Rule) -> Self {
        Self { ends: [gauss.clone(), gauss.clone()], gauss }
    }

    /// Whether the rule is exact.
    pub(crate) fn is_point(&self) -> bool {
        self.ends.iter().all(|end| *end == self.gauss)
    }

    /// Multiplies each weight.
    pub(crate) fn scale(&mut self, factor: f64) {
        for rule in std::iter::once(&mut self.gauss).chain(&mut self.ends) {
            rule.weights.iter_mut().for_each(|weight| *weight *= factor);
        }
    }

    /// Takes Gauss' rule as exact.
    pub(crate) fn close(&mut self) {
        self.ends = [self.gauss.clone(), self.gauss.clone()];
    }

    /// The distance between the two ends, as the integral over x of |F - G| |f'|, F and G their weights up to x: where f is
    /// monotone up to `peak` and from there on, no less than the difference of their sums, and not 0 by chance. A node
    /// counts as its `modulus`.
    pub(crate) fn distance(&self, f: impl Fn(f64) -> f64, modulus: impl Fn(f64) -> f64, peak: f64) -> f64 {
        let [one, other] = &self.ends;
        let weighted = |rule: &Rule, sign: f64| -> Vec<(f64, f64)> {
            rule.nodes.iter().zip(&rule.weights).map(|(&node, weight)| (modulus(node), sign * weight)).collect()
        };
        let mut steps = [weighted(one, 1.0), weighted(other, -1.0), vec![(peak, 0.0)]].concat();
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut between = 0.0;
        let lengths = steps.windows(2).map(|pair| {
            between += pair[0].1;
            between.abs() * (f(pair[1].0) - f(pair[0].0)).abs()
        });
        lengths.sum()
    }

    /// Nodes and weights of Gauss, and of the two ends.
    pub(crate) fn rows(&self) -> [&[f64]; 6] {
        let [one, other] = &self.ends;
        [&self.gauss.nodes, &self.gauss.weights, &one.nodes, &one.weights, &other.nodes, &other.weights]
    }

    pub(crate) fn from_rows(rows: ArrayView2<f64>) -> Self {
        let rule = |i: usize| Rule { nodes: rows.row(i).to_vec(), weights: rows.row(i + 1).to_vec() };
        Self { gauss: rule(0), ends: [rule(2), rule(4)] }
    }
}

/// Rules for tr Q' f(K) Q, of the first `first` vectors of a basis in which K is T. `beyond` is the Gram matrix of what K
/// makes of its last block outside; none where there is nothing outside, so that the rule is exact.
pub(crate) fn of_block(
    t: &Array2<f64>,
    beyond: Option<&Array2<f64>>,
    first: usize,
    positive: bool,
) -> Result<Bracket> {
    let gauss = rule(t, first)?;
    let Some(beyond) = beyond else { return Ok(Bracket::point(gauss)) };
    if !positive {
        return Ok(Bracket { gauss, ends: rules_of_modulus(t, &root(beyond)?, first)? });
    }
    let before = t.nrows() - beyond.nrows();
    let mut changed = t.clone();
    let corner = congruent_to_inverse(t.slice(s![..before, ..before]), t.slice(s![before.., ..before]))?;
    changed.slice_mut(s![before.., before..]).assign(&corner);
    let radau = rule(&changed, first)?;
    Ok(Bracket { ends: [gauss.clone(), radau], gauss })
}

/// Rules for v' f(K) v of a unit vector, from the diagonal of its T and what stands beside it, one entry beyond the last
/// row. `least` is the smallest pivot that is not rounding; none where the recurrence has ended, so that the rule is exact.
pub(crate) fn of_vector(diagonal: &[f64], besides: &[f64], least: Option<f64>, positive: bool) -> Result<Bracket> {
    let (beside, beyond) = besides.split_at(diagonal.len() - 1);
    let t = tridiagonal(diagonal, beside);
    let gauss = rule(&t, 1)?;
    let Some(least) = least else { return Ok(Bracket::point(gauss)) };
    if !positive {
        let beyond = Array2::from_elem((1, 1), beyond[0]);
        return Ok(Bracket { gauss, ends: rules_of_modulus(&t, &beyond, 1)? });
    }
    let Some(last) = last_entry_for_zero(diagonal, beside, least) else { return Ok(Bracket::point(gauss)) };
    let mut of_radau = diagonal.to_vec();
    *of_radau.last_mut().expect("there is one") = last;
    let radau = rule(&tridiagonal(&of_radau, beside), 1)?;
    Ok(Bracket { ends: [gauss.clone(), radau], gauss })
}

/// The rule of the first `first` coordinates of a symmetric matrix: its eigenvalues, and how much of each of their
/// vectors lies there.
fn rule(t: &Array2<f64>, first: usize) -> Result<Rule> {
    let (nodes, vectors) = symmetric_eigenpairs(t.view())?;
    let weights = vectors.slice(s![..first, ..]).map_axis(Axis(0), |part| part.dot(&part));
    Ok(Rule { nodes: nodes.to_vec(), weights: weights.to_vec() })
}

/// The two rules through K^2, for functions of |K|, of the first coordinates: see above. T is K in the space, `beyond`
/// what K makes of its last vectors outside.
fn rules_of_modulus(t: &Array2<f64>, beyond: &Array2<f64>, first: usize) -> Result<[Rule; 2]> {
    let n = t.nrows();
    let (moduli, v) = moduli(t, beyond)?;
    let (own, of_products) = (v.slice(s![.., ..first]), v.dot(&t.slice(s![.., ..first])));
    let squares = |row: ArrayView1<f64>| row.dot(&row);
    let mut one = Rule { nodes: moduli.to_vec(), weights: own.rows().into_iter().map(squares).collect() };
    let least = f64::EPSILON * n as f64 * moduli.iter().fold(0.0, |largest: f64, modulus| largest.max(*modulus));
    let weights = of_products.rows().into_iter().map(squares).zip(&moduli);
    let weights = weights.map(|(square, &modulus)| if modulus > least { square / modulus.powi(2) } else { 0.0 });
    let mut other = Rule { nodes: moduli.to_vec(), weights: weights.collect() };
    let left = first as f64 - other.weights.iter().sum::<f64>();
    for (rule, weight) in [(&mut one, 0.0), (&mut other, left.max(0.0))] {
        rule.nodes.push(0.0);
        rule.weights.push(weight);
    }
    Ok([one, other])
}

/// The square roots of the eigenvalues of J, and their vectors, as rows.
fn moduli(t: &Array2<f64>, beyond: &Array2<f64>) -> Result<(Array1<f64>, Array2<f64>)> {
    let (n, last) = (t.nrows(), beyond.ncols());
    if n > PRECISE_UP_TO {
        let mut j = t.dot(t);
        let mut corner = j.slice_mut(s![n - last.., n - last..]);
        corner += &beyond.t().dot(beyond);
        let (squares, vectors) = symmetric_eigenpairs(j.view())?;
        return Ok((squares.mapv(|square| square.max(0.0).sqrt()), vectors.reversed_axes()));
    }
    // K = U S V', J = V S^2 V': singular values have their own rounding, not the root of that of squares.
    let mut k = Array2::zeros((n + beyond.nrows(), n));
    k.slice_mut(s![..n, ..]).assign(t);
    k.slice_mut(s![n.., n - last..]).assign(beyond);
    let (_, moduli, v) = k.svddc(JobSvd::Some).map_err(|error| lapack_error(&error))?;
    Ok((moduli, v.expect("it was asked for")))
}

/// R with R' R a matrix that is not negative.
fn root(gram: &Array2<f64>) -> Result<Array2<f64>> {
    let (squares, vectors) = symmetric_eigenpairs(gram.view())?;
    let lengths = squares.mapv(|square| square.max(0.0).sqrt());
    Ok(&vectors.t() * &lengths.insert_axis(Axis(1)))
}

/// B A^-1 B', where A is positive and may be nearly singular.
fn congruent_to_inverse(a: ArrayView2<f64>, b: ArrayView2<f64>) -> Result<Array2<f64>> {
    let (values, vectors) = symmetric_eigenpairs(a)?;
    let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(*value));
    let mut scaled = b.dot(&vectors);
    let right = scaled.clone();
    for (mut column, &value) in scaled.axis_iter_mut(Axis(1)).zip(&values) {
        column *= if value > f64::EPSILON * a.nrows() as f64 * largest { value.recip() } else { 0.0 };
    }
    Ok(scaled.dot(&right.t()))
}

fn tridiagonal(diagonal: &[f64], beside: &[f64]) -> Array2<f64> {
    let mut t = Array2::from_diag(&Array1::from(diagonal.to_vec()));
    for (i, &entry) in beside.iter().enumerate() {
        t[[i, i + 1]] = entry;
        t[[i + 1, i]] = entry;
    }
    t
}

/// The last diagonal entry with which a positive tridiagonal matrix has the eigenvalue 0; none where what stands
/// before it is singular already.
fn last_entry_for_zero(diagonal: &[f64], beside: &[f64], least: f64) -> Option<f64> {
    let mut pivot = f64::INFINITY;
    let mut last = 0.0;
    for (i, &entry) in diagonal.iter().enumerate() {
        last = if i == 0 { 0.0 } else { beside[i - 1] * beside[i - 1] / pivot };
        pivot = entry - last;
        if i + 1 < diagonal.len() && pivot <= least {
            return None;
        }
    }
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(nodes: [f64; 2], weights: [f64; 2]) -> Rule {
        Rule { nodes: nodes.to_vec(), weights: weights.to_vec() }
    }

    /// Of sums that are equal by chance, and over a peak between two nodes.
    #[test]
    fn a_distance_is_what_has_to_be_moved_and_how_far() {
        let ends = [rule([0.2, 0.8], [1.0, 1.0]), rule([-0.4, 0.6], [1.0, 1.0])];
        let bracket = Bracket { gauss: ends[0].clone(), ends };
        let rising = |x: f64| x * x;
        approx::assert_relative_eq!(bracket.distance(rising, f64::abs, 1.0), 0.12 + 0.28, max_relative = 1e-14);
        let hat = |x: f64| 1.0 - (x - 0.5).abs();
        approx::assert_relative_eq!(bracket.distance(hat, f64::abs, 0.5), 0.2 + 0.2, max_relative = 1e-14);
        let peak =
            Bracket { gauss: Rule::default(), ends: [rule([0.4, 1.0], [1.0, 1.0]), rule([0.6, 1.0], [1.0, 1.0])] };
        approx::assert_relative_eq!(peak.distance(hat, f64::abs, 0.5), 0.2, max_relative = 1e-14);
        assert_eq!(Bracket::point(rule([0.1, 0.2], [1.0, 2.0])).distance(rising, f64::abs, 1.0), 0.0);
    }
}
