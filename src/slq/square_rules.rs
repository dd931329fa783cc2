//! Quadrature rules for functions of |K| through K^2, where K may have negative eigenvalues.
//!
//! Functions of |K| are bracketed in the space that products with K have spanned. With V a basis of it, J = V' K^2 V has
//! eigenpairs (y, u), and for e in that space, with K e in it,
//!
//! ```text
//! sum (u' e)^2 h(y),        sum (u' V' K e)^2 / y h(y) + (e' e - sum of these weights) h(0)
//! ```
//!
//! err to opposite sides of e' h(K^2) e for h = 1 / (y + tau): of (K^2 + tau)^-1 a subspace gives a lower bound, which is the
//! first rule, and the second is that bound for K e, since e' (K^2 + tau)^-1 e = (e' e - e' K (K^2 + tau)^-1 K e) / tau.
//! [`crate::slq::remainder`] says what follows for powers of y.

use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use ndarray_linalg::{JobSvd, SVDDC};

use crate::error::Result;
use crate::linalg::{lapack_error, symmetric_eigenpairs};
use crate::slq::rule::Rule;

/// The size up to which moduli are singular values. Larger matrices belong to spectra that are not of low rank; there
/// moduli are roots of eigenvalues, which take a third of the time.
const SINGULAR_VALUES_UP_TO: usize = 128;

/// The two rules through K^2 for functions of |K|, of the first `first` coordinates; the header has the formulas.
///
/// T is K in the space; `residual` is the part of K times its last vectors that is outside the space.
pub(crate) fn modulus_rules(t: &Array2<f64>, residual: &Array2<f64>, first: usize) -> Result<[Rule; 2]> {
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
pub(crate) fn root(gram: &Array2<f64>) -> Result<Array2<f64>> {
    let (squares, vectors) = symmetric_eigenpairs(gram.view())?;
    let lengths = squares.mapv(|square| square.max(0.0).sqrt());
    Ok(&vectors.t() * &lengths.insert_axis(Axis(1)))
}
