//! Operators of sparse symmetric matrices, in compressed rows (CSR).
//!
//! ```text
//! K = D^-1/2 Q^-alpha G Q^-alpha D^-1/2     (diffusion operator)     or     K = G     (the matrix itself)
//! ```
//!
//! [`crate::operator::normalization`] defines Q and D. Cost of a product with b columns: 2 b flops per stored entry.
//! Each row is computed by one thread, so the result has the same bits on any number of threads. Memory: 12 bytes per
//! stored entry.

use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView1, Axis};

use crate::error::{Error, Result};
use crate::linalg::scalar::F64_ROUNDOFF;
use crate::linalg::scaling::{max_abs, power_of_two_near};
use crate::operator::SymmetricOperator;
use crate::operator::normalization::{Normalization, require_alpha};
use crate::runtime::parallel::Job;

/// Rows of a thread's unit of work.
const BLOCK_ROWS: usize = 256;

/// A symmetric matrix in compressed rows.
#[derive(Debug, Clone)]
pub struct SparseMatrix {
    /// The place of the first entry of each row, and the number of entries.
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
}

impl SparseMatrix {
    /// Takes `starts`, the N + 1 places where rows begin and the last one ends, and the column and the value of each
    /// entry. Symmetry is not checked.
    ///
    /// # Errors
    /// [`Error::Invalid`] where these do not fit together, and for an entry that is not finite.
    pub fn new(starts: Vec<usize>, columns: Vec<u32>, values: Vec<f64>) -> Result<Self> {
        let n = starts.len().saturating_sub(1);
        let ordered = starts.first() == Some(&0) && starts.windows(2).all(|pair| pair[0] <= pair[1]);
        let fit = starts.last() == Some(&columns.len()) && columns.len() == values.len();
        if n == 0 || !ordered || !fit || columns.iter().any(|&column| column as usize >= n) {
            return Err(Error::invalid("x", "a square matrix in compressed rows", format!("{n} rows")));
        }
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(Error::invalid("x", "finite", value));
        }
        Ok(Self { starts, columns, values })
    }

    /// N.
    pub fn dim(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of entries that are stored.
    pub fn entries(&self) -> usize {
        self.values.len()
    }

    /// The columns and values of row i.
    fn row(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let entries = self.starts[i]..self.starts[i + 1];
        let columns = self.columns[entries.clone()].iter().map(|&column| column as usize);
        columns.zip(self.values[entries].iter().copied())
    }

    /// The product with vectors [N, b].
    fn times(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        let x = x.as_standard_layout();
        let x = x.as_slice().expect("it has the standard layout");
        let width = x.len() / self.dim();
        let mut y = Array2::zeros((self.dim(), width));
        job.parallel(|| {
            let blocks = y.axis_chunks_iter_mut(Axis(0), BLOCK_ROWS).into_par_iter().enumerate();
            blocks.try_for_each(|(b, mut block)| {
                job.check()?;
                for (i, mut sums) in (b * BLOCK_ROWS..).zip(block.rows_mut()) {
                    let sums = sums.as_slice_mut().expect("rows are contiguous");
                    for (j, value) in self.row(i) {
                        for (sum, entry) in sums.iter_mut().zip(&x[j * width..(j + 1) * width]) {
                            *sum += value * entry;
                        }
                    }
                }
                Ok(())
            })
        })?;
        Ok(y)
    }

    /// Divides by a power of two near the largest entry, so that neither squares nor sums over- or underflow.
    fn scale_to_one(&mut self) {
        let unit = power_of_two_near(max_abs([ArrayView1::from(&self.values)]));
        self.values.iter_mut().for_each(|value| *value /= unit);
    }

    /// Turns A into W A W, W the diagonal matrix of `scale`.
    fn multiply_both_sides(&mut self, scale: &[f64]) {
        for i in 0..self.dim() {
            let entries = self.starts[i]..self.starts[i + 1];
            for (value, &column) in self.values[entries.clone()].iter_mut().zip(&self.columns[entries]) {
                *value *= scale[i] * scale[column as usize];
            }
        }
    }

    fn row_sums(&self) -> Vec<f64> {
        (0..self.dim()).map(|i| self.row(i).map(|(_, value)| value).sum()).collect()
    }
}

/// The operator of a sparse matrix: the matrix itself, or the diffusion operator of its entries.
pub struct SparseOperator {
    matrix: SparseMatrix,
    positive: bool,
    unit_roundoff: f64,
    leading: Option<Vec<f64>>,
}

impl SparseOperator {
    /// The matrix itself, in units of a power of two near its largest entry.
    pub fn affinity(mut matrix: SparseMatrix) -> Self {
        matrix.scale_to_one();
        Self { matrix, positive: false, unit_roundoff: F64_ROUNDOFF, leading: None }
    }

    /// The symmetric diffusion operator of affinities, which are not negative; see [`crate::diffusion_operator`].
    ///
    /// # Errors
    /// [`Error::Invalid`] for an alpha outside 0..=1, and where a row has no positive affinity.
    pub fn diffusion(mut matrix: SparseMatrix, alpha: f64) -> Result<Self> {
        require_alpha(alpha)?;
        matrix.scale_to_one();
        let normalization = Normalization::new(alpha, |weights| {
            if let Some(weights) = weights {
                matrix.multiply_both_sides(weights);
            }
            Ok(matrix.row_sums())
        })?;
        matrix.multiply_both_sides(&normalization.inverse_root_degrees());
        let leading = Some(normalization.leading());
        Ok(Self { matrix, positive: false, unit_roundoff: F64_ROUNDOFF, leading })
    }

    /// States whether the matrix is known to be positive semi-definite, which nothing else implies.
    #[must_use]
    pub fn positive_semidefinite(mut self, known: bool) -> Self {
        self.positive = known;
        self
    }

    /// States the unit roundoff of the type in which entries were given.
    #[must_use]
    pub fn unit_roundoff(mut self, given: f64) -> Self {
        self.unit_roundoff = given;
        self
    }

    /// The number of entries that are stored.
    pub(crate) fn entries(&self) -> usize {
        self.matrix.entries()
    }
}

impl SymmetricOperator for SparseOperator {
    fn dim(&self) -> usize {
        self.matrix.dim()
    }

    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        self.matrix.times(x, job)
    }

    fn is_positive_semidefinite(&self) -> bool {
        self.positive
    }

    fn entry_error(&self) -> f64 {
        f64::EPSILON.max(self.unit_roundoff)
    }

    fn unit_roundoff(&self) -> f64 {
        self.unit_roundoff
    }

    fn trace(&self) -> Option<f64> {
        let of_row = |i| self.matrix.row(i).filter(|(j, _)| *j == i).map(|(_, value)| value).sum::<f64>();
        Some((0..self.dim()).map(of_row).sum())
    }

    fn squared_norm(&self) -> Option<f64> {
        Some(self.matrix.values.iter().map(|value| value * value).sum())
    }

    fn leading(&self) -> Option<&[f64]> {
        self.leading.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;

    /// A band of affinities, sparse and as a full matrix.
    fn band(n: usize) -> (SparseMatrix, Array2<f64>) {
        let entry = |i: usize, j: usize| 1.0 / (1.0 + i.abs_diff(j) as f64) + ((i + j) % 3) as f64;
        let full = Array2::from_shape_fn((n, n), |(i, j)| if i.abs_diff(j) < 4 { entry(i, j) } else { 0.0 });
        let mut starts = vec![0];
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for row in full.rows() {
            for (j, &value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
                columns.push(u32::try_from(j).unwrap());
                values.push(value);
            }
            starts.push(values.len());
        }
        (SparseMatrix::new(starts, columns, values).unwrap(), full)
    }

    #[test]
    fn products_equal_those_of_the_full_matrix() {
        let (sparse, full) = band(700);
        let x = Array2::from_shape_fn((700, 3), |(i, j)| ((i * 29 + j * 7) % 53) as f64 - 26.0);
        for alpha in [None, Some(0.0), Some(1.0)] {
            let unit = power_of_two_near(full.iter().fold(0.0, |largest: f64, entry| largest.max(*entry)));
            let mut expected = &full / unit;
            if let Some(alpha) = alpha {
                for power in [alpha, 0.5] {
                    let scale = expected.sum_axis(Axis(1)).mapv(|sum| sum.powf(-power));
                    expected = &expected * &scale * scale.view().insert_axis(Axis(1));
                }
            }
            let operator = match alpha {
                Some(alpha) => SparseOperator::diffusion(sparse.clone(), alpha).unwrap(),
                None => SparseOperator::affinity(sparse.clone()),
            };
            let of = |threads| parallel::run(threads, || false, |job| operator.apply(&x, job)).unwrap();
            approx::assert_abs_diff_eq!(of(2), expected.dot(&x), epsilon = 1e-10);
            assert_eq!(of(1), of(2));
            approx::assert_relative_eq!(operator.trace().unwrap(), expected.diag().sum(), max_relative = 1e-13);
            let norm = expected.iter().map(|entry| entry * entry).sum();
            approx::assert_relative_eq!(operator.squared_norm().unwrap(), norm, max_relative = 1e-13);
            if let Some(leading) = operator.leading() {
                let leading = Array2::from_shape_vec((700, 1), leading.to_vec()).unwrap();
                approx::assert_abs_diff_eq!(expected.dot(&leading), leading, epsilon = 1e-13);
            }
        }
    }

    #[test]
    fn parts_that_make_no_matrix_are_refused() {
        for (starts, columns, values) in [
            (vec![], vec![], vec![]),
            (vec![0], vec![], vec![]),
            (vec![0, 2], vec![0], vec![1.0]),
            (vec![0, 1], vec![1], vec![1.0]),
            (vec![0, 1], vec![0], vec![f64::NAN]),
            (vec![0, 2, 1], vec![0], vec![1.0]),
        ] {
            assert!(SparseMatrix::new(starts, columns, values).is_err());
        }
        let zero_row = SparseMatrix::new(vec![0, 1, 1], vec![0], vec![1.0]).unwrap();
        assert!(SparseOperator::diffusion(zero_row, 0.0).is_err());
    }
}
