//! Gauss and Gauss-Radau quadrature rules for e' f(K) e, from the projection of K onto a Krylov space.
//!
//! After k Lanczos steps from a vector v, the eigenvalues of the tridiagonal T and the squared first entries of its
//! eigenvectors are a rule for v' f(K) v that is exact for polynomials of degree 2k - 1 (Gauss). With the last entry of T
//! changed such that 0 is an eigenvalue, the rule is exact to degree 2k - 2 (Gauss-Radau): Golub & Meurant, "Matrices,
//! moments and quadrature with applications" (2010). Blocks of vectors give block rules in the same way.
//!
//! Where K may have negative eigenvalues, functions of |K| are bracketed through K^2, in the space that products with K
//! have spanned. With V a basis of it, J = V' K^2 V has eigenpairs (y, u), and for e in that space, with K e in it,
//!
//! ```text
//! sum (u' e)^2 h(y),        sum (u' V' K e)^2 / y h(y) + (e' e - sum of these weights) h(0)
//! ```
//!
//! err to opposite sides of e' h(K^2) e for h = y^s and -y^s log y: these are integrals of c / (y + tau) and a polynomial of
//! y that both rules integrate exactly, and of (K^2 + tau)^-1 a subspace gives a lower bound; the second rule is that
//! bound for K e, since e' (K^2 + tau)^-1 e = (e' e - e' K (K^2 + tau)^-1 K e) / tau.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};
use ndarray_linalg::{JobSvd, SVDDC};

use crate::error::Result;
use crate::linalg::{lapack_error, symmetric_eigenpairs};

/// The size up to which moduli are singular values. Larger matrices belong to spectra that are not of low rank; there
/// moduli are roots of eigenvalues, which take a third of the time.
const SINGULAR_VALUES_UP_TO: usize = 128;

/// Nodes and weights: the sum of `weight f(node)` estimates an integral of f.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rule {
    pub nodes: Vec<f64>,
    pub weights: Vec<f64>,
}

impl Rule {
    /// The sum of `weight f(node)`.
    pub(crate) fn sum(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.nodes.iter().zip(&self.weights).map(|(&node, weight)| weight * f(node)).sum()
    }
}

/// The Gauss rule for an integral, and two rules that bound the integral from both sides for the functions of
/// [`crate::slq::integrand`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Bracket {
    pub gauss: Rule,
    /// The Gauss and the Gauss-Radau rule for an operator without negative eigenvalues, otherwise the two rules through
    /// its square.
    pub ends: [Rule; 2],
}

impl Bracket {
    /// A bracket of width zero, for a rule that is exact.
    fn exact(gauss: Rule) -> Self {
        Self { ends: [gauss.clone(), gauss.clone()], gauss }
    }

    /// Whether the Gauss rule is exact, so that both ends equal it.
    pub(crate) fn is_exact(&self) -> bool {
        self.ends.iter().all(|end| *end == self.gauss)
    }

    /// Multiplies each weight.
    pub(crate) fn scale(&mut self, factor: f64) {
        for rule in std::iter::once(&mut self.gauss).chain(&mut self.ends) {
            rule.weights.iter_mut().for_each(|weight| *weight *= factor);
        }
    }

    /// Sets both ends to the Gauss rule, as if it were exact.
    pub(crate) fn assume_exact(&mut self) {
        self.ends = [self.gauss.clone(), self.gauss.clone()];
    }

    /// The distance between the two ends: the integral over x of |F - G| |f'|, with F and G their cumulative weights.
    ///
    /// Where f is monotone up to `peak` and from there on, this is no less than the difference of the two sums, and it does
    /// not vanish by chance. Each node counts as its `modulus`.
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

    /// Nodes and weights of the Gauss rule, and of the two ends.
    pub(crate) fn rows(&self) -> [&[f64]; 6] {
        let [one, other] = &self.ends;
        [&self.gauss.nodes, &self.gauss.weights, &one.nodes, &one.weights, &other.nodes, &other.weights]
    }

    /// The bracket whose [`Bracket::rows`] these are.
    pub(crate) fn from_rows(rows: ArrayView2<f64>) -> Self {
        let rule = |i: usize| Rule { nodes: rows.row(i).to_vec(), weights: rows.row(i + 1).to_vec() };
        Self { gauss: rule(0), ends: [rule(2), rule(4)] }
    }
}

/// Rules for tr Q' f(K) Q, with Q the first `first` vectors of a basis in which K is T.
///
/// `residual` is the Gram matrix of the part of K times the last block that is outside the space; none if the space is
/// invariant, so that the rule is exact.
pub(crate) fn block_rules(
    t: &Array2<f64>,
    residual: Option<&Array2<f64>>,
    first: usize,
    positive_semidefinite: bool,
) -> Result<Bracket> {
    let gauss = leading_rule(t, first)?;
    let Some(residual) = residual else { return Ok(Bracket::exact(gauss)) };
    if !positive_semidefinite {
        return Ok(Bracket { gauss, ends: modulus_rules(t, &root(residual)?, first)? });
    }
    let before = t.nrows() - residual.nrows();
    let mut changed = t.clone();
    let corner = congruent_to_inverse(t.slice(s![..before, ..before]), t.slice(s![before.., ..before]))?;
    changed.slice_mut(s![before.., before..]).assign(&corner);
    let radau = leading_rule(&changed, first)?;
    Ok(Bracket { ends: [gauss.clone(), radau], gauss })
}

/// Rules for v' f(K) v of a unit vector v, from the diagonal and the off-diagonal entries of its T.
///
/// There is one off-diagonal entry a row, the last of which is outside T. `least_pivot` is the smallest pivot that is not
/// rounding; none if the recurrence has broken down, so that the rule is exact.
pub(crate) fn vector_rules(
    diagonal: &[f64],
    off_diagonal: &[f64],
    least_pivot: Option<f64>,
    positive_semidefinite: bool,
) -> Result<Bracket> {
    let (off_diagonal, residual) = off_diagonal.split_at(diagonal.len() - 1);
    let t = tridiagonal(diagonal, off_diagonal);
    let gauss = leading_rule(&t, 1)?;
    let Some(least_pivot) = least_pivot else { return Ok(Bracket::exact(gauss)) };
    if !positive_semidefinite {
        let residual = Array2::from_elem((1, 1), residual[0]);
        return Ok(Bracket { gauss, ends: modulus_rules(&t, &residual, 1)? });
    }
    let Some(last) = radau_entry(diagonal, off_diagonal, least_pivot) else { return Ok(Bracket::exact(gauss)) };
    let mut changed = diagonal.to_vec();
    *changed.last_mut().expect("a recurrence with rules has made a step") = last;
    let radau = leading_rule(&tridiagonal(&changed, off_diagonal), 1)?;
    Ok(Bracket { ends: [gauss.clone(), radau], gauss })
}

/// The rule of the first `first` coordinates of a symmetric matrix: its eigenvalues, and the squared norm of these
/// coordinates of each eigenvector.
fn leading_rule(t: &Array2<f64>, first: usize) -> Result<Rule> {
    let (nodes, vectors) = symmetric_eigenpairs(t.view())?;
    let weights = vectors.slice(s![..first, ..]).map_axis(Axis(0), |part| part.dot(&part));
    Ok(Rule { nodes: nodes.to_vec(), weights: weights.to_vec() })
}

/// The two rules through K^2 for functions of |K|, of the first `first` coordinates; the header has the formulas.
///
/// T is K in the space; `residual` is the part of K times its last vectors that is outside the space.
fn modulus_rules(t: &Array2<f64>, residual: &Array2<f64>, first: usize) -> Result<[Rule; 2]> {
    let n = t.nrows();
    let (moduli, v) = moduli(t, residual)?;
    let (coordinates, products) = (v.slice(s![.., ..first]), v.dot(&t.slice(s![.., ..first])));
    let squares = |row: ArrayView1<f64>| row.dot(&row);
    let mut one = Rule { nodes: moduli.to_vec(), weights: coordinates.rows().into_iter().map(squares).collect() };
    let least = f64::EPSILON * n as f64 * moduli.iter().fold(0.0, |largest: f64, modulus| largest.max(*modulus));
    let weights = products.rows().into_iter().map(squares).zip(&moduli);
    let weights = weights.map(|(square, &modulus)| if modulus > least { square / modulus.powi(2) } else { 0.0 });
    let mut other = Rule { nodes: moduli.to_vec(), weights: weights.collect() };
    let remainder = first as f64 - other.weights.iter().sum::<f64>();
    for (rule, weight) in [(&mut one, 0.0), (&mut other, remainder.max(0.0))] {
        rule.nodes.push(0.0);
        rule.weights.push(weight);
    }
    Ok([one, other])
}

/// The square roots of the eigenvalues of J, and their eigenvectors as rows.
fn moduli(t: &Array2<f64>, residual: &Array2<f64>) -> Result<(Array1<f64>, Array2<f64>)> {
    let (n, last) = (t.nrows(), residual.ncols());
    if n > SINGULAR_VALUES_UP_TO {
        let mut j = t.dot(t);
        let mut corner = j.slice_mut(s![n - last.., n - last..]);
        corner += &residual.t().dot(residual);
        let (squares, vectors) = symmetric_eigenpairs(j.view())?;
        return Ok((squares.mapv(|square| square.max(0.0).sqrt()), vectors.reversed_axes()));
    }
    // K = U S V', J = V S^2 V': singular values are accurate to rounding, roots of eigenvalues only to its square root.
    let mut k = Array2::zeros((n + residual.nrows(), n));
    k.slice_mut(s![..n, ..]).assign(t);
    k.slice_mut(s![n.., n - last..]).assign(residual);
    let (_, moduli, v) = k.svddc(JobSvd::Some).map_err(|error| lapack_error(&error))?;
    Ok((moduli, v.expect("JobSvd::Some returns singular vectors")))
}

/// R with R' R a positive semi-definite matrix.
fn root(gram: &Array2<f64>) -> Result<Array2<f64>> {
    let (squares, vectors) = symmetric_eigenpairs(gram.view())?;
    let lengths = squares.mapv(|square| square.max(0.0).sqrt());
    Ok(&vectors.t() * &lengths.insert_axis(Axis(1)))
}

/// B A^-1 B', where A is positive semi-definite and may be nearly singular.
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

/// The symmetric tridiagonal matrix with these entries.
fn tridiagonal(diagonal: &[f64], off_diagonal: &[f64]) -> Array2<f64> {
    let mut t = Array2::from_diag(&Array1::from(diagonal.to_vec()));
    for (i, &entry) in off_diagonal.iter().enumerate() {
        t[[i, i + 1]] = entry;
        t[[i + 1, i]] = entry;
    }
    t
}

/// The last diagonal entry with which a positive tridiagonal matrix has the eigenvalue 0; none where the rows before the
/// last are singular already.
fn radau_entry(diagonal: &[f64], off_diagonal: &[f64], least_pivot: f64) -> Option<f64> {
    let mut pivot = f64::INFINITY;
    let mut last = 0.0;
    for (i, &entry) in diagonal.iter().enumerate() {
        last = if i == 0 { 0.0 } else { off_diagonal[i - 1] * off_diagonal[i - 1] / pivot };
        pivot = entry - last;
        if i + 1 < diagonal.len() && pivot <= least_pivot {
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

    /// Sums of the two ends may agree by chance, and a peak may lie between two nodes.
    #[test]
    fn the_distance_of_two_rules_is_the_weight_moved_times_the_change_of_f() {
        let ends = [rule([0.2, 0.8], [1.0, 1.0]), rule([-0.4, 0.6], [1.0, 1.0])];
        let bracket = Bracket { gauss: ends[0].clone(), ends };
        let rising = |x: f64| x * x;
        approx::assert_relative_eq!(bracket.distance(rising, f64::abs, 1.0), 0.12 + 0.28, max_relative = 1e-14);
        let hat = |x: f64| 1.0 - (x - 0.5).abs();
        approx::assert_relative_eq!(bracket.distance(hat, f64::abs, 0.5), 0.2 + 0.2, max_relative = 1e-14);
        let peak =
            Bracket { gauss: Rule::default(), ends: [rule([0.4, 1.0], [1.0, 1.0]), rule([0.6, 1.0], [1.0, 1.0])] };
        approx::assert_relative_eq!(peak.distance(hat, f64::abs, 0.5), 0.2, max_relative = 1e-14);
        assert_eq!(Bracket::exact(rule([0.1, 0.2], [1.0, 2.0])).distance(rising, f64::abs, 1.0), 0.0);
    }
}
