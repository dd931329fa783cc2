//! The lower triangle of a symmetric matrix, walked in blocks of rows by all threads of a job.
//!
//! Blocks have a fixed height and their results come back in order, so sums do not depend on the number of threads.

use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};

use crate::error::Result;
use crate::memory;
use crate::parallel::Job;

/// Rows of a block: high enough for matrix products at full speed, low enough for many blocks.
const BLOCK_ROWS: usize = 128;

/// A symmetric matrix of which only the entries on and below the diagonal are kept up to date.
#[derive(Debug, Clone)]
pub struct LowerTriangle {
    matrix: Array2<f64>,
}

impl LowerTriangle {
    /// A triangle of zeros.
    pub(crate) fn zeros(n: usize) -> Result<Self> {
        Ok(Self { matrix: memory::zeros(n)? })
    }

    /// The number of rows.
    pub fn dim(&self) -> usize {
        self.matrix.nrows()
    }

    /// The square matrix that holds the triangle; what stands above its diagonal means nothing.
    pub fn into_matrix(self) -> Array2<f64> {
        self.matrix
    }

    /// The entry of row i and column j.
    pub fn get(&self, i: usize, j: usize) -> f64 {
        self.matrix[if i >= j { (i, j) } else { (j, i) }]
    }

    /// Calls `f` with the first row's number and the block, whose columns end where the triangle's widest row ends.
    pub(crate) fn for_each_block(
        &mut self,
        job: &Job,
        f: impl Fn(usize, ArrayViewMut2<f64>) + Send + Sync,
    ) -> Result<()> {
        job.parallel(|| {
            let blocks = self.matrix.axis_chunks_iter_mut(Axis(0), BLOCK_ROWS).into_par_iter().enumerate();
            blocks.with_max_len(1).try_for_each(|(b, mut block)| {
                job.check()?;
                let first = b * BLOCK_ROWS;
                let width = first + block.nrows();
                f(first, block.slice_mut(ndarray::s![.., ..width]));
                Ok(())
            })
        })
    }

    /// Like [`Self::for_each_block`], for reading; the results come in the order of the blocks.
    pub(crate) fn map_blocks<T: Send>(
        &self,
        job: &Job,
        f: impl Fn(usize, ArrayView2<f64>) -> T + Send + Sync,
    ) -> Result<Vec<T>> {
        job.parallel(|| {
            let blocks = self.matrix.axis_chunks_iter(Axis(0), BLOCK_ROWS).into_par_iter().enumerate();
            blocks
                .with_max_len(1)
                .map(|(b, block)| {
                    job.check()?;
                    let first = b * BLOCK_ROWS;
                    let width = first + block.nrows();
                    Ok(f(first, block.slice(ndarray::s![.., ..width])))
                })
                .collect()
        })
    }

    /// The sum of each row of the whole symmetric matrix.
    pub(crate) fn row_sums(&self, job: &Job) -> Result<Vec<f64>> {
        let partial = self.map_blocks(job, |first, block| {
            let mut sums = vec![0.0; block.ncols()];
            for (r, row) in block.rows().into_iter().enumerate() {
                let i = first + r;
                let mut own = row[i];
                for (sum, &entry) in sums[..i].iter_mut().zip(row) {
                    *sum += entry; // the entry's mirror image, above the diagonal
                    own += entry;
                }
                sums[i] += own;
            }
            sums
        })?;
        let mut total = vec![0.0; self.dim()];
        for sums in partial {
            for (sum, part) in total.iter_mut().zip(sums) {
                *sum += part;
            }
        }
        Ok(total)
    }
}
