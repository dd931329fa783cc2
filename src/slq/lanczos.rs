//! Lanczos recurrences of several vectors at once, and the quadrature rule of each.
//!
//! ```text
//! K V = V T + residual,     V = [v1, v2, ...] orthonormal in exact arithmetic, T tridiagonal
//! ```
//!
//! A step costs one product and three passes over the vectors. There is no reorthogonalisation: quadrature does not need
//! it (Golub & Meurant, "Matrices, moments and quadrature with applications", 2010, chapter 4). But rounding brings back
//! directions that the vectors had no part in, multiplied by their eigenvalue at each step, and a recurrence that finds a
//! large eigenvalue again has spent a node on it. Converged Ritz vectors are therefore projected out at each step (Parlett
//! & Scott, "The Lanczos algorithm with selective orthogonalization", Math. Comp. 33, 1979).

use std::slice::from_ref;
use std::sync::Arc;

use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, Axis};

use crate::error::Result;
use crate::linalg::tall_skinny as tall;
use crate::operator::SymmetricOperator;
use crate::runtime::parallel::Job;
use crate::slq::bracket::Bracket;
use crate::slq::quadrature::{self, BREAKDOWN_TOL, KnownRange};

/// Lanczos recurrences of several vectors, kept orthogonal to converged Ritz vectors.
pub(crate) struct Lanczos<'a> {
    operator: &'a dyn SymmetricOperator,
    range: KnownRange,
    /// About the largest modulus of an eigenvalue.
    norm: f64,
    squared_norms: Array1<f64>,
    /// Ritz vectors orthogonal to the start vectors.
    ritz_vectors: Arc<Array2<f64>>,
    previous: Array2<f64>,
    current: Array2<f64>,
    /// The diagonal of T of each vector, as long as its recurrence.
    diagonals: Vec<Vec<f64>>,
    /// The off-diagonal entries of T of each vector; the last is the length of the residual.
    off_diagonals: Vec<Vec<f64>>,
    /// Whether each recurrence has broken down, so that its rule is exact.
    is_exact: Vec<bool>,
}

impl<'a> Lanczos<'a> {
    /// Starts with vectors that are orthogonal to `ritz_vectors`; `norm` is about the largest modulus of an eigenvalue.
    pub(crate) fn new(
        operator: &'a dyn SymmetricOperator,
        range: KnownRange,
        norm: f64,
        vectors: Array2<f64>,
        ritz_vectors: Arc<Array2<f64>>,
    ) -> Self {
        let squared_norms = vectors.map_axis(Axis(0), |vector| vector.dot(&vector));
        let mut current = vectors;
        let is_exact: Vec<bool> = squared_norms.iter().map(|&norm| norm <= BREAKDOWN_TOL * BREAKDOWN_TOL).collect();
        for ((mut vector, norm), is_zero) in current.axis_iter_mut(Axis(1)).zip(&squared_norms).zip(&is_exact) {
            vector *= if *is_zero { 0.0 } else { norm.sqrt().recip() };
        }
        let count = squared_norms.len();
        Self {
            operator,
            range,
            norm,
            squared_norms,
            ritz_vectors,
            previous: Array2::zeros(current.raw_dim()),
            current,
            diagonals: vec![Vec::new(); count],
            off_diagonals: vec![Vec::new(); count],
            is_exact,
        }
    }

    /// Whether all recurrences have broken down, so that their rules are exact.
    pub(crate) fn is_exact(&self) -> bool {
        self.is_exact.iter().all(|&is_exact| is_exact)
    }

    /// The vectors that are multiplied next.
    pub(crate) fn current(&self) -> &Array2<f64> {
        &self.current
    }

    /// Makes one step of each recurrence; returns the number of matrix-vector products.
    pub(crate) fn step(&mut self, job: &Job) -> Result<usize> {
        if self.is_exact() {
            return Ok(0);
        }
        let product = self.operator.apply(&self.current, job)?;
        self.step_by(product, job)
    }

    /// Makes a step with the product of the current vectors.
    pub(crate) fn step_by(&mut self, product: Array2<f64>, job: &Job) -> Result<usize> {
        let mut w = product;
        if self.ritz_vectors.ncols() > 0 {
            tall::project_out(from_ref(&*self.ritz_vectors), &mut w, job)?;
        }
        let kept = |p: usize, value: f64| if self.is_exact[p] { 0.0 } else { value };
        let columns = 0..self.is_exact.len();
        let betas: Vec<f64> = columns.clone().map(|p| self.off_diagonals[p].last().copied().unwrap_or(0.0)).collect();
        let alphas = tall::sums_over_rows(&mut w, &self.previous, &self.current, job, |p, w, previous, current| {
            *w = kept(p, *w - betas[p] * previous);
            *w * current
        })?;
        let squares = tall::sums_over_rows(&mut w, &self.previous, &self.current, job, |p, w, _, current| {
            *w -= alphas[p] * current;
            *w * *w
        })?;
        for p in columns.filter(|&p| !self.is_exact[p]).collect::<Vec<_>>() {
            self.diagonals[p].push(alphas[p]);
            self.off_diagonals[p].push(squares[p].sqrt());
            self.is_exact[p] = squares[p].sqrt() <= BREAKDOWN_TOL * self.norm;
        }
        let scale: Vec<f64> = squares
            .iter()
            .zip(&self.is_exact)
            .map(|(square, is_exact)| if *is_exact { 0.0 } else { square.sqrt().recip() })
            .collect();
        tall::sums_over_rows(&mut w, &self.previous, &self.current, job, |p, w, _, _| {
            *w *= scale[p];
            0.0
        })?;
        self.previous = std::mem::replace(&mut self.current, w);
        Ok(self.previous.ncols())
    }

    /// The rules of each vector v, for v' f(K) v.
    pub(crate) fn rules(&self, job: &Job) -> Result<Vec<Bracket>> {
        job.parallel(|| (0..self.is_exact.len()).into_par_iter().map(|p| self.rules_of(p)).collect())
    }

    fn rules_of(&self, p: usize) -> Result<Bracket> {
        if self.diagonals[p].is_empty() {
            return Ok(Bracket::default());
        }
        let least_pivot = (!self.is_exact[p]).then_some(BREAKDOWN_TOL * self.norm);
        let mut rules =
            quadrature::vector_rules(&self.diagonals[p], &self.off_diagonals[p], least_pivot, self.range)?;
        rules.scale(self.squared_norms[p]);
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use crate::slq::block_krylov::BlockKrylov;
    use crate::slq::diagonal::{Diagonal, noise};

    /// The Gauss rule is exact to degree 2k - 1, the Gauss-Radau rule to 2k - 2, and for x^3.5 the truth lies between them.
    #[test]
    fn rules_of_a_vector_are_exact_to_their_degree_and_bracket() {
        let operator = Diagonal::decaying(60);
        let (v, none) = (noise(60, 3), Array2::zeros((60, 0)));
        let run = |job: &Job| {
            let mut lanczos = Lanczos::new(&operator, operator.range(), 1.0, v.clone(), Arc::new(none.clone()));
            for _ in 0..4 {
                lanczos.step(job)?;
            }
            lanczos.rules(job)
        };
        let rules = parallel::run(1, || false, run).unwrap();
        for (p, Bracket { gauss, ends: [_, radau], .. }) in rules.iter().enumerate() {
            let exact =
                |f: &dyn Fn(f64) -> f64| operator.0.iter().zip(v.column(p)).map(|(&x, v)| v * v * f(x)).sum::<f64>();
            for degree in 0..8 {
                let power = |x: f64| x.powi(degree);
                approx::assert_relative_eq!(gauss.sum(power), exact(&power), max_relative = 1e-12);
                if degree < 7 {
                    approx::assert_relative_eq!(radau.sum(power), exact(&power), max_relative = 1e-12);
                }
            }
            assert!(radau.nodes.iter().any(|node| node.abs() < 1e-14));
            for power in [0.5, 1.5, 2.5, 3.5] {
                let f = |x: f64| x.max(0.0).powf(power);
                let (one, other) = (gauss.sum(f), radau.sum(f));
                assert!(one.min(other) <= exact(&f) && exact(&f) <= one.max(other), "{power}");
            }
        }
    }

    /// Three distinct eigenvalues: a vector's recurrence ends after three steps, a block's space is invariant.
    #[test]
    fn low_rank_ends_the_recurrences_and_is_exact() {
        let operator = Diagonal((0..50).map(|i| [1.0, 0.25, 0.0][i % 3]).collect());
        let none = Array2::zeros((50, 0));
        let run = |job: &Job| {
            let mut lanczos = Lanczos::new(&operator, operator.range(), 1.0, noise(50, 2), Arc::new(none.clone()));
            let mut krylov = BlockKrylov::new(&operator, noise(50, 2), job)?;
            for _ in 0..6 {
                lanczos.step(job)?;
                krylov.extend(job)?;
            }
            Ok((
                lanczos.is_exact(),
                lanczos.diagonals[0].len(),
                krylov.is_invariant(),
                krylov.dim(krylov.steps()),
                lanczos.rules(job)?,
            ))
        };
        let (ended, depth, krylov_ended, dim, rules) = parallel::run(1, || false, run).unwrap();
        assert!(ended && krylov_ended);
        assert_eq!((depth, dim), (3, 6));
        let v = noise(50, 2);
        for (p, rule) in rules.iter().enumerate() {
            let root = |x: f64| x.max(0.0).sqrt();
            let exact: f64 = operator.0.iter().zip(v.column(p)).map(|(&x, v)| v * v * root(x)).sum();
            // A node that should be 0 is off by rounding, whose root is 1e-8.
            approx::assert_relative_eq!(rule.gauss.sum(root), exact, max_relative = 1e-6);
        }
    }
}
