//! Operators of sparse symmetric matrices, in compressed rows (CSR).
//!
//! ```text
//! K = D^-1/2 Q^-alpha G Q^-alpha D^-1/2     (diffusion operator)     or     K = G     (the matrix itself)
//! ```
//!
//! [`crate::operator::normalization`] defines Q and D. A row may stand for m equal ones. Then the operator of all rows has
//! the eigenvalues of M^1/2 K M^1/2, M = diag(m), and zeros:
//!
//! ```text
//! K v = lambda v  with  K = E k E',  E_ia = 1 where row i is a copy of a    <=>    M^1/2 k M^1/2 w = lambda w,  w = M^-1/2 E' v
//! ```
//!
//! Cost of a product with b columns: 2 b flops per stored entry.
//! Each row is computed by one thread, so the result has the same bits on any number of threads. Memory: 12 bytes per
//! stored entry.

use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView1, Axis, s};

use crate::error::{Error, Result};
use crate::linalg::scalar::F64_ROUNDOFF;
use crate::linalg::scaling::{max_abs, power_of_two_near};
use crate::operator::SymmetricOperator;
use crate::operator::normalization::{Density, Normalization, require_alpha};
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
        job.in_tasks(|| {
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
                let (own, other) = (scale[i], scale[column as usize]);
                let both = own * other;
                *value = if both.is_normal() { *value * both } else { *value * own * other };
            }
        }
    }

    /// The row sums, in which the entries of each column are counted as often as its number says.
    fn row_sums(&self, numbers: Option<&[f64]>) -> Vec<f64> {
        let sum = |i| match numbers {
            None => self.row(i).map(|(_, value)| value).sum(),
            Some(numbers) => self.row(i).map(|(j, value)| value * numbers[j]).sum(),
        };
        (0..self.dim()).map(sum).collect()
    }
}

/// The operator of a sparse matrix: the matrix itself, or the diffusion operator of its entries.
pub struct SparseOperator {
    matrix: SparseMatrix,
    /// The number of last rows and columns that are zero: of the copies of rows that stand for several.
    zero_rows: usize,
    positive: bool,
    unit_roundoff: f64,
    leading: Option<Vec<f64>>,
}

impl SparseOperator {
    /// The matrix itself, in units of a power of two near its largest entry. With `multiplicities` each row stands for so
    /// many equal ones.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the multiplicities are not positive ones of each row.
    pub fn affinity(mut matrix: SparseMatrix, multiplicities: Option<&[usize]>) -> Result<Self> {
        matrix.scale_to_one();
        let (numbers, zero_rows) = of_copies(multiplicities, matrix.dim())?;
        if let Some(numbers) = numbers {
            matrix.multiply_both_sides(&roots(&numbers));
        }
        Ok(Self { matrix, zero_rows, positive: false, unit_roundoff: F64_ROUNDOFF, leading: None })
    }

    /// The symmetric diffusion operator of affinities, which are not negative; see [`crate::diffusion_operator`]. With
    /// `multiplicities` each row stands for so many equal ones.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an alpha outside 0..=1, where a row has no positive affinity, and where the multiplicities
    /// are not positive ones of each row.
    pub fn diffusion(mut matrix: SparseMatrix, alpha: f64, multiplicities: Option<&[usize]>) -> Result<Self> {
        require_alpha(alpha)?;
        let (numbers, zero_rows) = of_copies(multiplicities, matrix.dim())?;
        matrix.scale_to_one();
        let mut normalization = Normalization::new(Density::of_rows(alpha), |weights| {
            if let Some(weights) = weights {
                matrix.multiply_both_sides(weights);
            }
            Ok(matrix.row_sums(numbers.as_deref()))
        })?;
        matrix.multiply_both_sides(&normalization.inverse_root_degrees());
        if let Some(numbers) = numbers {
            matrix.multiply_both_sides(&roots(&numbers));
            normalization.degrees.iter_mut().zip(&numbers).for_each(|(degree, number)| *degree *= number);
        }
        let mut leading = normalization.leading();
        leading.resize(matrix.dim() + zero_rows, 0.0);
        Ok(Self { matrix, zero_rows, positive: false, unit_roundoff: F64_ROUNDOFF, leading: Some(leading) })
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

/// The numbers of equal rows that `n` rows stand for, and how many rows they stand for beyond themselves.
fn of_copies(multiplicities: Option<&[usize]>, n: usize) -> Result<(Option<Vec<f64>>, usize)> {
    let Some(numbers) = multiplicities else { return Ok((None, 0)) };
    if numbers.len() != n || numbers.contains(&0) {
        let requirement = format!("a positive one for each of {n} rows");
        return Err(Error::invalid("multiplicities", requirement, numbers.len()));
    }
    let total: usize = numbers.iter().sum();
    Ok((Some(numbers.iter().map(|&number| number as f64).collect()), total - n))
}

fn roots(numbers: &[f64]) -> Vec<f64> {
    numbers.iter().map(|number| number.sqrt()).collect()
}

impl SymmetricOperator for SparseOperator {
    fn dim(&self) -> usize {
        self.matrix.dim() + self.zero_rows
    }

    fn zero_rows(&self) -> usize {
        self.zero_rows
    }

    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        if self.zero_rows == 0 {
            return self.matrix.times(x, job);
        }
        let own = self.matrix.dim();
        let mut product = Array2::zeros(x.raw_dim());
        product.slice_mut(s![..own, ..]).assign(&self.matrix.times(&x.slice(s![..own, ..]).to_owned(), job)?);
        Ok(product)
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
        Some((0..self.matrix.dim()).map(of_row).sum())
    }

    fn squared_norm(&self) -> Option<f64> {
        Some(self.matrix.values.iter().map(|value| value * value).sum())
    }

    /// 1 for the diffusion operator, as rows of the random walk sum to 1, otherwise the largest sum of the magnitudes of a
    /// row.
    fn modulus_bound(&self) -> Option<f64> {
        let sum = |i: usize| self.matrix.row(i).map(|(_, value)| value.abs()).sum();
        if self.leading.is_some() { Some(1.0) } else { (0..self.matrix.dim()).map(sum).reduce(f64::max) }
    }

    fn leading(&self) -> Option<&[f64]> {
        self.leading.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::scaling::power_of_two;
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

    /// Products with K do not depend on the scale of a connected component of the graph.
    #[test]
    fn components_of_any_scale_are_normalised_alike() {
        let of = |exponent: i32, alpha: f64| {
            let small = power_of_two(exponent);
            let starts = vec![0, 2, 4, 6, 8];
            let values = [vec![1.0, 0.25, 0.25, 0.5], vec![small, 0.25 * small, 0.25 * small, 0.5 * small]].concat();
            let matrix = SparseMatrix::new(starts, vec![0, 1, 0, 1, 2, 3, 2, 3], values).unwrap();
            let operator = SparseOperator::diffusion(matrix, alpha, None).unwrap();
            parallel::run(1, || false, |job| operator.apply(&Array2::eye(4), job)).unwrap()
        };
        for alpha in [0.0, 0.5, 0.98, 1.0] {
            let expected = of(0, alpha);
            for exponent in [-1070, -1030, -500] {
                approx::assert_abs_diff_eq!(of(exponent, alpha), expected, epsilon = 1e-14);
            }
        }
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
                Some(alpha) => SparseOperator::diffusion(sparse.clone(), alpha, None).unwrap(),
                None => SparseOperator::affinity(sparse.clone(), None).unwrap(),
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

    /// The matrix of all rows, in which row a is repeated as often as its number says.
    fn expanded(full: &Array2<f64>, numbers: &[usize]) -> SparseMatrix {
        let rows: Vec<usize> = (0..numbers.len()).flat_map(|a| vec![a; numbers[a]]).collect();
        let values = rows.iter().flat_map(|&a| rows.iter().map(move |&b| full[[a, b]])).collect();
        let columns = rows.iter().flat_map(|_| 0..u32::try_from(rows.len()).unwrap()).collect();
        SparseMatrix::new((0..=rows.len()).map(|i| i * rows.len()).collect(), columns, values).unwrap()
    }

    /// The rounding of N additions, of products with numbers near 1.
    #[test]
    fn multiplicities_keep_the_moments_and_the_leading_vector_of_all_rows() {
        let (sparse, full) = band(30);
        let numbers: Vec<usize> = (0..30).map(|i| 1 + i * i % 7).collect();
        let total: usize = numbers.iter().sum();
        let of = |matrix: SparseMatrix, alpha: Option<f64>, numbers: Option<&[usize]>| match alpha {
            Some(alpha) => SparseOperator::diffusion(matrix, alpha, numbers).unwrap(),
            None => SparseOperator::affinity(matrix, numbers).unwrap(),
        };
        for alpha in [None, Some(0.0), Some(0.7)] {
            let all = of(expanded(&full, &numbers), alpha, None);
            let operator = of(sparse.clone(), alpha, Some(&numbers));
            assert_eq!((operator.dim(), operator.zero_rows()), (total, total - 30));
            approx::assert_relative_eq!(operator.trace().unwrap(), all.trace().unwrap(), max_relative = 1e-13);
            let norms = (operator.squared_norm().unwrap(), all.squared_norm().unwrap());
            approx::assert_relative_eq!(norms.0, norms.1, max_relative = 1e-13);
            if let Some(leading) = operator.leading() {
                let leading = Array2::from_shape_vec((total, 1), leading.to_vec()).unwrap();
                let product = parallel::run(2, || false, |job| operator.apply(&leading, job)).unwrap();
                approx::assert_abs_diff_eq!(product, leading, epsilon = 1e-13);
            }
        }
        assert!(SparseOperator::affinity(sparse.clone(), Some(&numbers[1..])).is_err());
        assert!(SparseOperator::diffusion(sparse, 0.0, Some(&[0; 30])).is_err());
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
        assert!(SparseOperator::diffusion(zero_row, 0.0, None).is_err());
    }
}
