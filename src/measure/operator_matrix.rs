//! Operators as matrices: all that their eigenvalues need, so that rows and distances can be let go of.
//!
//! Memory: a matrix of f64 or f32. Cost of the eigenvalues: about 4/3 N^3 flops.

use ndarray::Array2;

use crate::error::Result;
use crate::linalg::symmetric_eigenvalues;
use crate::linalg::upper_triangle::UpperTriangle;
use crate::operator::deflated_f32::DeflatedOperator;
use crate::runtime::parallel::Job;

/// A symmetric operator that is stored as a matrix.
pub struct OperatorMatrix(Stored);

enum Stored {
    /// In f64.
    Double(UpperTriangle),
    /// In f32.
    Single(DeflatedOperator),
}

impl OperatorMatrix {
    /// Takes a matrix in f64.
    pub(crate) fn double(matrix: UpperTriangle) -> Self {
        Self(Stored::Double(matrix))
    }

    /// Takes one in f32.
    pub(crate) fn single(operator: DeflatedOperator) -> Self {
        Self(Stored::Single(operator))
    }

    /// The number of rows.
    pub(crate) fn dim(&self) -> usize {
        match &self.0 {
            Stored::Double(matrix) => matrix.dim(),
            Stored::Single(operator) => operator.dim(),
        }
    }

    /// Computes the moduli of the eigenvalues, in no particular order.
    ///
    /// # Errors
    /// [`crate::Error::OutOfMemory`]; [`crate::Error::Interrupted`]; [`crate::Error::Lapack`].
    pub fn eigenvalues(self, job: &Job) -> Result<Vec<f64>> {
        match self.0 {
            Stored::Double(matrix) => moduli(matrix.into_matrix(), job),
            Stored::Single(operator) => operator.eigenvalues(job),
        }
    }
}

/// Computes the moduli of the eigenvalues of each matrix, of small ones in parallel.
///
/// # Errors
/// The errors of [`OperatorMatrix::eigenvalues`].
pub fn eigenvalues_of_matrices(matrices: Vec<OperatorMatrix>, job: &Job) -> Result<Vec<Vec<f64>>> {
    let largest = matrices.iter().map(OperatorMatrix::dim).max().unwrap_or(0);
    if largest <= job.tuning().sweep_in_parallel_up_to {
        return job.many(matrices, OperatorMatrix::eigenvalues);
    }
    matrices.into_iter().map(|matrix| matrix.eigenvalues(job)).collect()
}

/// The moduli of the eigenvalues of a symmetric matrix.
pub(crate) fn moduli(matrix: Array2<f64>, job: &Job) -> Result<Vec<f64>> {
    Ok(symmetric_eigenvalues(matrix, job)?.into_iter().map(f64::abs).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::input::Input;
    use crate::kernel::bandwidth::Bandwidth;
    use crate::measure::spectrum::{OperatorSpec, Precision};
    use crate::runtime::parallel;
    use crate::runtime::tuning::Tuning;

    /// In parallel and one after the other, in f64 and f32.
    #[test]
    fn each_matrix_has_the_eigenvalues_of_its_operator() {
        let rows = [300, 41, 7].map(|n| Array2::from_shape_fn((n, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64));
        let operators = [20.0, 30.0, 40.0].map(|sigma| OperatorSpec::Diffusion {
            bandwidth: Bandwidth::Fixed(sigma),
            alpha: 0.5,
            precision: Precision::Fastest,
            row_weights: None,
        });
        let affinity = OperatorSpec::affinity(10.0);
        for sweep_in_parallel_up_to in [0, 1000] {
            let tuning = Tuning { sweep_in_parallel_up_to, ..Tuning::MEASURED };
            let specs = || operators.iter().chain([&affinity]).zip(rows.iter().cycle());
            let run = |job: &Job| {
                let matrices = specs().map(|(spec, rows)| spec.matrix(Input::rows(rows.view()), job));
                eigenvalues_of_matrices(matrices.collect::<Result<_>>()?, job)
            };
            let found = parallel::run_with(&tuning, 2, || false, run).unwrap();
            for ((spec, rows), found) in specs().zip(found) {
                let alone =
                    parallel::run(1, || false, |job| spec.eigenvalues(Input::rows(rows.view()), job)).unwrap();
                approx::assert_abs_diff_eq!(found[..], alone[..], epsilon = 1e-13);
            }
        }
        assert_eq!(parallel::run(2, || false, |job| eigenvalues_of_matrices(vec![], job)), Ok(vec![]));
    }

    #[test]
    fn a_graph_is_no_operator_of_a_kernel() {
        let rows = Array2::<f64>::eye(4);
        let graph = OperatorSpec::neighbor_graph(2);
        assert!(parallel::run(1, || false, |job| graph.matrix(Input::rows(rows.view()), job).map(drop)).is_err());
    }
}
