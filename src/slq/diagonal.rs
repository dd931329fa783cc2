//! A diagonal operator, whose spectrum is prescribed, and vectors to start from: for tests.

use ndarray::{Array2, Axis};

use crate::error::Result;
use crate::operator::SymmetricOperator;
use crate::runtime::parallel::Job;
use crate::slq::quadrature::KnownRange;

/// The operator diag(lambda).
pub(crate) struct Diagonal(pub Vec<f64>);

impl Diagonal {
    /// Eigenvalues 0.9^i for i < n.
    pub(crate) fn decaying(n: usize) -> Self {
        Self((0..n).map(|i| 0.9_f64.powi(i32::try_from(i).expect("tests are small"))).collect())
    }

    /// The facts about the eigenvalues, with a margin.
    pub(crate) fn range(&self) -> KnownRange {
        let above = self.modulus_bound().map(|bound| bound * (1.0 + 1e-10));
        KnownRange { positive_semidefinite: self.is_positive_semidefinite(), above }
    }
}

impl SymmetricOperator for Diagonal {
    fn dim(&self) -> usize {
        self.0.len()
    }

    fn apply(&self, x: &Array2<f64>, _: &Job) -> Result<Array2<f64>> {
        let mut y = x.clone();
        for (mut row, lambda) in y.axis_iter_mut(Axis(0)).zip(&self.0) {
            row *= *lambda;
        }
        Ok(y)
    }

    fn is_positive_semidefinite(&self) -> bool {
        self.0.iter().all(|&lambda| lambda >= 0.0)
    }

    fn modulus_bound(&self) -> Option<f64> {
        self.0.iter().map(|lambda| lambda.abs()).reduce(f64::max)
    }
}

/// Vectors without structure, with entries in [-1, 1].
pub(crate) fn noise(n: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, columns), |(i, j)| ((i * 7919 + j * 104_729 + i * i * 31) % 1009) as f64 / 504.5 - 1.0)
}
