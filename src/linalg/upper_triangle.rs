//! The upper triangle of a symmetric matrix, walked in blocks of rows by all threads of a job.
//!
//! The matrix is in row-major order, so LAPACK, which reads columns, sees the lower triangle, with which the reduction to
//! a band is 1.6 times as fast. Blocks have a fixed height and their results come in order, so sums do not depend on the
//! number of threads.

use std::ops::Range;

use bytemuck::Zeroable;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};

use crate::error::Result;
use crate::runtime::memory;
use crate::runtime::parallel::Job;

/// Rows of a block: high enough for matrix products at full speed, low enough for many blocks. Another height changes
/// the order of sums.
pub(crate) const BLOCK_ROWS: usize = 96;

/// Columns of a tile: so few that it is still in the cache of a core when its exponentials are taken. Another number
/// changes the order of sums.
pub(crate) const TILE_COLUMNS: usize = 1024;

/// A symmetric matrix of which only the entries on and above the diagonal are kept up to date.
#[derive(Debug, Clone)]
pub struct UpperTriangle<A = f64> {
    matrix: Array2<A>,
}

impl<A: Copy + Zeroable + Send + Sync> UpperTriangle<A> {
    /// Allocates a triangle of zeros.
    pub(crate) fn zeros(n: usize) -> Result<Self> {
        Ok(Self { matrix: memory::zeros(n)? })
    }

    /// The number of rows.
    pub fn dim(&self) -> usize {
        self.matrix.nrows()
    }

    /// The square matrix that holds the triangle. Its entries below the diagonal have no meaning.
    pub fn into_matrix(self) -> Array2<A> {
        self.matrix
    }

    /// The entry of row i and column j of the symmetric matrix.
    pub fn get(&self, i: usize, j: usize) -> A {
        self.matrix[if i <= j { (i, j) } else { (j, i) }]
    }

    /// A tile within a block, so its columns do not begin before the diagonal of the block's first row.
    pub(crate) fn tile(&self, rows: Range<usize>, columns: Range<usize>) -> ArrayView2<'_, A> {
        self.matrix.slice(s![rows, columns])
    }

    /// Calls `f` for each block, in parallel, with the number of its first row and the block, whose columns begin at the
    /// diagonal of that row.
    pub(crate) fn for_each_block(
        &mut self,
        job: &Job,
        f: impl Fn(usize, ArrayViewMut2<A>) + Send + Sync,
    ) -> Result<()> {
        job.in_tasks(|| {
            let blocks = self.matrix.axis_chunks_iter_mut(Axis(0), BLOCK_ROWS).into_par_iter().enumerate();
            blocks.with_max_len(1).try_for_each(|(b, mut block)| {
                let _task = job.task()?;
                let first = b * BLOCK_ROWS;
                f(first, block.slice_mut(s![.., first..]));
                Ok(())
            })
        })
    }

    /// Calls `f` for each block, in parallel, as [`Self::for_each_block`] does. The results are in the order of the
    /// blocks.
    pub(crate) fn map_blocks<T: Send>(
        &self,
        job: &Job,
        f: impl Fn(usize, ArrayView2<A>) -> T + Send + Sync,
    ) -> Result<Vec<T>> {
        map_row_blocks(self.dim(), job, |rows| {
            let first = rows.start;
            f(first, self.matrix.slice(s![rows, first..]))
        })
    }
}

impl UpperTriangle {
    /// The sum of each row of the whole symmetric matrix.
    pub(crate) fn row_sums(&self, job: &Job) -> Result<Vec<f64>> {
        let sums = self.map_blocks(job, |first, block| {
            let mut sums = RowSums::new(first, self.dim());
            sums.add(first, first, block);
            sums
        })?;
        Ok(RowSums::total(sums, self.dim()))
    }
}

/// Calls `f` for the rows of each block of a triangle of `n` rows, in parallel. The results are in the order of the
/// blocks.
pub(crate) fn map_row_blocks<T: Send>(
    n: usize,
    job: &Job,
    f: impl Fn(Range<usize>) -> T + Send + Sync,
) -> Result<Vec<T>> {
    job.in_tasks(|| {
        let blocks = (0..n.div_ceil(BLOCK_ROWS)).into_par_iter();
        blocks
            .with_max_len(1)
            .map(|b| {
                let _task = job.task()?;
                Ok(f(b * BLOCK_ROWS..((b + 1) * BLOCK_ROWS).min(n)))
            })
            .collect()
    })
}

/// The part of a block in the row sums of the whole symmetric matrix: the sums of its rows and of its columns, whose
/// entries are also entries of rows below the diagonal.
pub(crate) struct RowSums {
    first: usize,
    sums: Vec<f64>,
}

impl RowSums {
    /// Zeros, for a block that begins at the diagonal of row `first` of `n`.
    pub(crate) fn new(first: usize, n: usize) -> Self {
        Self { first, sums: vec![0.0; n - first] }
    }

    /// Adds a tile of the block, whose first row and column are given. Entries below the diagonal are left out.
    pub(crate) fn add(&mut self, first_row: usize, first_column: usize, tile: ArrayView2<f64>) {
        let columns = first_column - self.first;
        for (i, row) in (first_row..).zip(tile.rows()) {
            let row = row.to_slice().expect("the rows of a tile are contiguous");
            let mirrored = (i + 1).saturating_sub(first_column).min(row.len());
            let mut own = 0.0;
            if let Some(diagonal) = i.checked_sub(first_column).and_then(|at| row.get(at)) {
                own += diagonal;
            }
            for (sum, &entry) in self.sums[columns..][mirrored..].iter_mut().zip(&row[mirrored..]) {
                *sum += entry;
                own += entry;
            }
            self.sums[i - self.first] += own;
        }
    }

    /// The row sums of the whole matrix, from all blocks in order.
    pub(crate) fn total(blocks: Vec<Self>, n: usize) -> Vec<f64> {
        let mut total = vec![0.0; n];
        for block in blocks {
            for (sum, part) in total[block.first..].iter_mut().zip(block.sums) {
                *sum += part;
            }
        }
        total
    }
}

/// The columns of the tiles of a block of rows of the upper triangle, from its first row's diagonal on.
pub(crate) fn tiles(first: usize, n: usize) -> impl Iterator<Item = Range<usize>> {
    (first..n).step_by(TILE_COLUMNS).map(move |column| column..(column + TILE_COLUMNS).min(n))
}
