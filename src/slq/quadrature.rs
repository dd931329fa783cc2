//! Gauss, Gauss-Radau and Gauss-Lobatto quadrature rules for e' f(K) e, from the projection of K onto a Krylov space.
//!
//! After k Lanczos steps from a vector v, the eigenvalues of the tridiagonal T and the squared first entries of its
//! eigenvectors are a rule for v' f(K) v that is exact for polynomials of degree 2k - 1 (Gauss). With the last entry of T
//! changed such that a given number is an eigenvalue, the rule is exact to degree 2k - 2 (Gauss-Radau); with a row more,
//! such that two are, to degree 2k - 1 (Gauss-Lobatto): Golub & Meurant, "Matrices, moments and quadrature with
//! applications" (2010). Blocks of vectors give block rules in the same way. Where K may have negative eigenvalues, two
//! rules come through its square ([`crate::slq::square_rules`]). [`crate::slq::remainder`] has the signs of their errors.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use crate::error::Result;
use crate::linalg::scaling::max_abs;
use crate::linalg::symmetric_eigenpairs;
use crate::slq::bracket::Bracket;
use crate::slq::rule::Rule;
use crate::slq::square_rules::{modulus_rules, root};

/// Breakdown tolerance: a residual shorter than this part of the norm of K is rounding, so that the space is invariant.
pub(crate) const BREAKDOWN_TOL: f64 = 1e-12;

/// Facts about the eigenvalues of an operator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct KnownRange {
    /// Whether none is negative.
    pub positive_semidefinite: bool,
    /// A number that is larger than all moduli; none if no such number is known.
    pub above: Option<f64>,
}

/// Rules for tr Q' f(K) Q, with Q the first `first` vectors of a basis in which K is T.
///
/// `residual` is the Gram matrix of the part of K times the last block that is outside the space; none if the space is
/// invariant, so that the rule is exact. `extra_blocks` is the number of blocks beyond Q, `width` the largest number of
/// vectors of a block.
pub(crate) fn block_rules(
    t: &Array2<f64>,
    residual: Option<&Array2<f64>>,
    (first, extra_blocks, width): (usize, usize, usize),
    range: KnownRange,
) -> Result<Bracket> {
    let gauss = leading_rule(t, first)?;
    let Some(residual) = residual else { return Ok(Bracket::exact(gauss)) };
    let ends = if range.positive_semidefinite {
        let before = t.nrows() - residual.nrows();
        let mut changed = t.clone();
        let corner = congruent_to_inverse(t.slice(s![..before, ..before]), t.slice(s![before.., ..before]))?;
        changed.slice_mut(s![before.., before..]).assign(&corner);
        [gauss.clone(), leading_rule(&changed, first)?]
    } else {
        modulus_rules(t, &root(residual)?, first)?
    };
    let steps = extra_blocks + 1;
    let outer = ritz_vector_rules(t, first, steps, 2 * width, range)?;
    Ok(Bracket { gauss, ends, outer, steps, is_of_vector: false })
}

/// The sums over the Ritz vectors y of the first `first` vectors of the Gauss rules for y' f(K) y, and of the rules with
/// nodes at the ends of the spectrum.
///
/// A Ritz vector is the combination of the first vectors that an eigenvector of their part of T gives. The products with K
/// that the space holds are those of `steps` Lanczos steps from it. Entries of T are 0 beyond `band` of the diagonal.
fn ritz_vector_rules(
    t: &Array2<f64>,
    first: usize,
    steps: usize,
    band: usize,
    range: KnownRange,
) -> Result<[Rule; 2]> {
    let (_, vectors) = symmetric_eigenpairs(t.slice(s![..first, ..first]))?;
    let mut start = Array2::zeros((t.nrows(), first));
    start.slice_mut(s![..first, ..]).assign(&vectors);
    let (mut inner, mut outer) = (Rule::default(), Some(Rule::default()));
    for Recurrence { diagonal, off_diagonal, is_exact } in recurrences(t, start, steps, band) {
        let off_diagonal = &off_diagonal[..diagonal.len() - 1];
        let gauss = leading_rule(&tridiagonal(&diagonal, off_diagonal), 1)?;
        let next = if is_exact { Some(gauss.clone()) } else { outer_rule(&diagonal, off_diagonal, range)? };
        inner = inner.plus(gauss);
        outer = outer.zip(next).map(|(sum, next)| sum.plus(next));
    }
    Ok([inner, outer.unwrap_or_default()])
}

/// The entries of the tridiagonal matrix of a Lanczos recurrence.
#[derive(Default, Clone)]
struct Recurrence {
    diagonal: Vec<f64>,
    /// One entry a row, the last of which is outside the matrix.
    off_diagonal: Vec<f64>,
    is_exact: bool,
}

/// Lanczos recurrences of so many steps of a band matrix T from unit vectors, the columns of `current`. T is K in a space
/// that has all products but the last.
fn recurrences(t: &Array2<f64>, mut current: Array2<f64>, steps: usize, band: usize) -> Vec<Recurrence> {
    let least = BREAKDOWN_TOL * max_abs(t.rows());
    let mut previous = Array2::zeros(current.raw_dim());
    let mut recurrences = vec![Recurrence::default(); current.ncols()];
    for step in 1..=steps {
        let mut products = banded_product(t, &current, band);
        let columns = products.columns_mut().into_iter().zip(current.columns()).zip(previous.columns());
        for (((mut w, v), before), recurrence) in columns.zip(&mut recurrences) {
            if recurrence.is_exact {
                continue;
            }
            w.scaled_add(-recurrence.off_diagonal.last().copied().unwrap_or(0.0), &before);
            let entry = w.dot(&v);
            w.scaled_add(-entry, &v);
            let length = w.dot(&w).sqrt();
            recurrence.diagonal.push(entry);
            recurrence.off_diagonal.push(length);
            // The last product has a part outside the space.
            recurrence.is_exact = step < steps && length <= least;
            w *= if length <= least { 0.0 } else { length.recip() };
        }
        previous = std::mem::replace(&mut current, products);
    }
    recurrences
}

/// The product of a symmetric band matrix with the columns of x.
fn banded_product(t: &Array2<f64>, x: &Array2<f64>, band: usize) -> Array2<f64> {
    let n = t.nrows();
    let mut product = Array2::zeros(x.raw_dim());
    for from in (0..n).step_by(band) {
        let to = (from + band).min(n);
        let columns = from.saturating_sub(band)..(to + band).min(n);
        let part = t.slice(s![from..to, columns.clone()]).dot(&x.slice(s![columns, ..]));
        product.slice_mut(s![from..to, ..]).assign(&part);
    }
    product
}

/// Rules for v' f(K) v of a unit vector v, from the diagonal and the off-diagonal entries of its T.
///
/// There is one off-diagonal entry a row, the last of which is outside T. `least_pivot` is the smallest pivot that is not
/// rounding; none if the recurrence has broken down, so that the rule is exact.
pub(crate) fn vector_rules(
    diagonal: &[f64],
    off_diagonal: &[f64],
    least_pivot: Option<f64>,
    range: KnownRange,
) -> Result<Bracket> {
    let (off_diagonal, residual) = off_diagonal.split_at(diagonal.len() - 1);
    let t = tridiagonal(diagonal, off_diagonal);
    let gauss = leading_rule(&t, 1)?;
    let Some(least_pivot) = least_pivot else { return Ok(Bracket::exact(gauss)) };
    let ends = if range.positive_semidefinite {
        [gauss.clone(), zero_rule(diagonal, off_diagonal, least_pivot)?]
    } else {
        modulus_rules(&t, &Array2::from_elem((1, 1), residual[0]), 1)?
    };
    let outer = [gauss.clone(), outer_rule(diagonal, off_diagonal, range)?.unwrap_or_default()];
    Ok(Bracket { gauss, ends, outer, steps: diagonal.len(), is_of_vector: true })
}

/// The Gauss-Radau rule with a node at 0.
///
/// Where the rows before the last have the eigenvalue 0 up to rounding, it is their Gauss rule.
fn zero_rule(diagonal: &[f64], off_diagonal: &[f64], least_pivot: f64) -> Result<Rule> {
    let (last, before) = diagonal.split_last().expect("a recurrence with rules has made a step");
    if let Some(pivot) = last_pivot(diagonal, off_diagonal, least_pivot) {
        let mut changed = diagonal.to_vec();
        changed[before.len()] = last - pivot;
        return leading_rule(&tridiagonal(&changed, off_diagonal), 1);
    }
    leading_rule(&tridiagonal(before, &off_diagonal[..before.len() - 1]), 1)
}

/// The rule with a node at each known end of the spectrum that is not 0: the Gauss-Radau rule with a node at the upper end
/// of a positive semi-definite operator, otherwise the Gauss-Lobatto rule with nodes at both ends.
///
/// None where the ends are not known, or are Ritz values up to rounding.
fn outer_rule(diagonal: &[f64], off_diagonal: &[f64], range: KnownRange) -> Result<Option<Rule>> {
    let Some(above) = range.above else { return Ok(None) };
    let pivot = |end: f64| {
        // The matrix is definite on either side: T + above, and above - T.
        let shifted: Vec<f64> = diagonal.iter().map(|entry| (end - entry) * end.signum()).collect();
        last_pivot(&shifted, off_diagonal, 0.0)
    };
    let Some(upper) = pivot(above).filter(|pivot| *pivot > 0.0) else { return Ok(None) };
    let mut diagonal = diagonal.to_vec();
    if range.positive_semidefinite {
        *diagonal.last_mut().expect("a recurrence with rules has made a step") += upper;
        return leading_rule(&tridiagonal(&diagonal, off_diagonal), 1).map(Some);
    }
    let Some(lower) = pivot(-above).filter(|pivot| *pivot > 0.0) else { return Ok(None) };
    // The last pivots of T + above and of above - T are the inverses of the last entries of their inverses.
    let square = 2.0 * above / (lower.recip() + upper.recip());
    let mut off_diagonal = off_diagonal.to_vec();
    off_diagonal.push(square.sqrt());
    diagonal.push(square / lower - above);
    leading_rule(&tridiagonal(&diagonal, &off_diagonal), 1).map(Some)
}

/// The rule of the first `first` coordinates of a symmetric matrix: its eigenvalues, and the squared norm of these
/// coordinates of each eigenvector.
fn leading_rule(t: &Array2<f64>, first: usize) -> Result<Rule> {
    let (nodes, vectors) = symmetric_eigenpairs(t.view())?;
    let weights = vectors.slice(s![..first, ..]).map_axis(Axis(0), |part| part.dot(&part));
    Ok(Rule { nodes: nodes.to_vec(), weights: weights.to_vec() })
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

/// The last pivot of a positive tridiagonal matrix, the inverse of the last entry of its inverse; none where the rows
/// before the last are singular already.
fn last_pivot(diagonal: &[f64], off_diagonal: &[f64], least_pivot: f64) -> Option<f64> {
    let mut pivot = diagonal[0];
    for (entry, beside) in diagonal[1..].iter().zip(off_diagonal) {
        if pivot <= least_pivot {
            return None;
        }
        pivot = entry - beside * beside / pivot;
    }
    Some(pivot)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten Lanczos steps of the Legendre weight on [-1, 1] in closed form, moved to [0, 1] where that is to be positive.
    fn legendre(positive: bool) -> (Vec<f64>, Vec<f64>) {
        let (centre, radius) = if positive { (0.5, 0.5) } else { (0.0, 1.0) };
        let beside = (1..10).map(f64::from).map(|k| radius * k / (4.0 * k * k - 1.0).sqrt()).collect();
        (vec![centre; 10], beside)
    }

    fn mean_of_power(positive: bool, degree: i32) -> f64 {
        if positive || degree % 2 == 0 { 1.0 / f64::from(degree + 1) } else { 0.0 }
    }

    /// A rule with nodes at the ends has them, and is exact to its degree and not to the next.
    #[test]
    fn outer_rules_have_their_nodes_and_their_degree() {
        for (positive, degree) in [(true, 18), (false, 19)] {
            let (diagonal, beside) = legendre(positive);
            let range = KnownRange { positive_semidefinite: positive, above: Some(1.25) };
            let rule = outer_rule(&diagonal, &beside, range).unwrap().unwrap();
            let ends: &[f64] = if positive { &[1.25] } else { &[-1.25, 1.25] };
            for end in ends {
                assert!(rule.nodes.iter().any(|node| (node - end).abs() < 1e-13), "{:?}", rule.nodes);
            }
            assert!(rule.weights.iter().all(|weight| *weight > 0.0));
            for power in 0..=degree {
                let sum = rule.sum(|x| x.powi(power));
                approx::assert_abs_diff_eq!(sum, mean_of_power(positive, power), epsilon = 1e-13);
            }
            let beyond = rule.sum(|x| x.powi(degree + 1)) - mean_of_power(positive, degree + 1);
            assert!(beyond.abs() > 1e-12, "{beyond}");
        }
    }

    #[test]
    fn no_rule_has_a_node_at_an_end_that_is_unknown_or_a_ritz_value() {
        let (diagonal, beside) = legendre(true);
        let rule = |above| outer_rule(&diagonal, &beside, KnownRange { positive_semidefinite: true, above }).unwrap();
        assert_eq!(rule(None), None);
        assert_eq!(rule(Some(0.9)), None);
    }

    /// Where the eigenvalue 0 is found already, the rule with a node at 0 is the one before.
    #[test]
    fn a_zero_that_is_found_leaves_the_rule_before() {
        let (diagonal, beside) = ([0.5, 0.5, 0.5], [0.5, 0.1]);
        let rule = zero_rule(&diagonal, &beside, 1e-12).unwrap();
        assert_eq!(rule.nodes.len(), 2);
        approx::assert_abs_diff_eq!(rule.nodes[0], 0.0, epsilon = 1e-15);
    }
}
