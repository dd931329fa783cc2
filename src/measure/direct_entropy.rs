//! Entropies of a data set that are not read off a spectrum.
//!
//! ```text
//! H = -sum_ij p_ij log2 p_ij,     p = R^-1 K / N,     R = diag(row sums of K)     (matrix entries)
//! ```
//!
//! The other one, of binned rows, is in [`crate::measure::binned_rows`]. Cost of the matrix entries: those of K, and N^2
//! logarithms.

use ndarray::ArrayView2;

use crate::data::input::Input;
use crate::data::points::Points;
use crate::error::{Result, require_positive};
use crate::kernel::bandwidth::Bandwidth;
use crate::linalg::scalar::Element;
use crate::linalg::upper_triangle::UpperTriangle;
use crate::measure::binned_rows::binned_rows_entropy;
use crate::measure::entropy::shifted_bits;
use crate::operator::dense::diffusion_operator;
use crate::runtime::memory;
use crate::runtime::parallel::Job;

/// The definition of an entropy of the rows of a data set that is not read off a spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// The entropy of the entries of the row-normalised diffusion operator.
    MatrixEntries {
        /// The bandwidth sigma, in units of the data.
        bandwidth: f64,
    },
    /// The classic Shannon entropy of binned rows.
    BinnedRows {
        /// Bins per column.
        n_bins: usize,
    },
}

impl Measure {
    /// Computes the entropy, in bits.
    ///
    /// # Errors
    /// The errors of [`crate::OperatorSpec::eigenvalues`].
    pub fn entropy<T: Element>(self, x: ArrayView2<T>, job: &Job) -> Result<f64> {
        Input::rows(x).require()?;
        memory::require(x.nrows(), self.bytes(x.nrows(), x.ncols()), job)?;
        match self {
            Self::MatrixEntries { bandwidth } => {
                require_positive("bandwidth", bandwidth)?;
                let points = Points::new(x, bandwidth);
                let operator = diffusion_operator(&points, &Bandwidth::Fixed(bandwidth), 0.0, job)?;
                matrix_entry_entropy(&operator, job)
            }
            Self::BinnedRows { n_bins } => binned_rows_entropy(x, n_bins, job),
        }
    }

    /// Bytes held at once for n rows of d columns.
    pub(crate) fn bytes(self, n: usize, d: usize) -> u64 {
        match self {
            Self::MatrixEntries { .. } => memory::dense_bytes(1.0, n, d),
            Self::BinnedRows { .. } => memory::dense_bytes(0.0, n, d),
        }
    }
}

/// Computes the entropy of the N^2 entries of R^-1 K as one distribution, R the diagonal matrix of the row sums of K. Each
/// entry is shifted by eps, see [`crate::spectral_entropy`].
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn matrix_entry_entropy(operator: &UpperTriangle, job: &Job) -> Result<f64> {
    // Each row of R^-1 K sums to 1, so all entries sum to N.
    let n = operator.dim() as f64;
    let weight: Vec<f64> = operator.row_sums(job)?.into_iter().map(|sum| (sum * n).recip()).collect();
    let parts = operator.map_blocks(job, |first, block| {
        let mut entropy = 0.0;
        for (r, row) in block.rows().into_iter().enumerate() {
            let i = first + r;
            entropy += shifted_bits(row[r] * weight[i]);
            for (&entry, other) in row.iter().zip(&weight[first..]).skip(r + 1) {
                entropy += shifted_bits(entry * weight[i]) + shifted_bits(entry * other);
            }
        }
        entropy
    })?;
    Ok(parts.into_iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::entropy::shannon_entropy;
    use crate::runtime::parallel;
    use ndarray::Array2;

    /// The definition, entry by entry, over more than one block of rows.
    #[test]
    fn matrix_entries_follow_the_definition() {
        let n = 150;
        let x = Array2::from_shape_fn((n, 2), |(i, j)| ((i * 29 + j * 7) % 53) as f64);
        let points = Points::new(x.view(), 10.0);
        let (entropy, k) = parallel::run(
            2,
            || false,
            |job| {
                let k = diffusion_operator(&points, &Bandwidth::Fixed(10.0), 0.0, job)?;
                Ok((matrix_entry_entropy(&k, job)?, k))
            },
        )
        .unwrap();
        let row_sum = |i| (0..n).map(|j| k.get(i, j)).sum::<f64>();
        let expected = shannon_entropy((0..n * n).map(|m| k.get(m / n, m % n) / row_sum(m / n) / n as f64));
        approx::assert_abs_diff_eq!(entropy, expected, epsilon = 1e-11);
    }
}
