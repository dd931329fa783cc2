//! Products with an affinity, tile by tile.
//!
//! ```text
//! Y = G X,     tiles of 128 rows and 512 columns of the upper triangle, each multiplied as it is and transposed
//! ```
//!
//! Tiles are stored, computed anew for each product, or multiplied elsewhere; [`crate::operator::reproducible_sum`] gives
//! the result the same bits in each case. Cost of a product with b columns: 2 N^2 b flops, and where G is not stored the
//! distances and exponentials of one triangle. Memory: `STRIPS` blocks of N b numbers besides.

use std::ops::Range;

use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, s};

use crate::error::Result;
use crate::kernel::Kernel;
use crate::linalg::scalar::Entry;
use crate::linalg::scaling::power_of_two;
use crate::operator::reproducible_sum::SumRounding;
use crate::runtime::parallel::Job;

/// Columns of a tile. Chunks of a data set on several machines begin at multiples of it.
pub const CELL: usize = 512;

/// Rows of a tile, a divisor of [`CELL`].
pub(crate) const TILE_ROWS: usize = 128;

/// The number of strips of rows, of about equal area, each with a sum of its own.
const STRIPS: usize = 16;

/// An affinity that is computed and multiplied elsewhere.
pub trait ExternalAffinity: Sync {
    /// N.
    fn dim(&self) -> usize;

    /// Computes G X, the product of each tile rounded by [`SumRounding`].
    ///
    /// # Errors
    /// The errors of the implementation; [`crate::Error::Interrupted`].
    fn times(&self, x: &Array2<f64>, rounding: &SumRounding, job: &Job) -> Result<Array2<f64>>;

    /// Computes the trace and the squared norm of S G S, from the squares of the diagonal of S.
    ///
    /// # Errors
    /// The errors of the implementation; [`crate::Error::Interrupted`].
    fn moments(&self, squares: &[f64], job: &Job) -> Result<(f64, f64)>;
}

/// Exponent of two up to which two squares of a scale, multiplied, are in the range of f64.
const SAFE_EXPONENT: i32 = 400;

/// An affinity in tiles.
pub(crate) enum TiledAffinity<'a, A> {
    /// Tiles in memory.
    Stored(&'a StoredTiles<A>),
    /// Tiles that are computed for each product.
    Computed(&'a dyn Kernel<A>),
    /// Tiles that are computed and multiplied elsewhere.
    External(&'a dyn ExternalAffinity),
}

/// The rows and columns of the tiles of a strip. Those that share columns follow each other, so what belongs to the
/// columns stays in a core's cache.
fn tiles_of(strip: &Range<usize>, n: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    groups(strip).flat_map(move |group| {
        cells(group.start, n).flat_map(move |columns| {
            let end = group.end;
            let firsts = group.clone().step_by(TILE_ROWS);
            firsts.map(move |first| (first..(first + TILE_ROWS).min(end), columns.clone()))
        })
    })
}

/// The rows of a strip, divided where cells begin.
fn groups(strip: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let Range { start, end } = *strip;
    (start / CELL * CELL..end).step_by(CELL).map(move |first| first.max(start)..(first + CELL).min(end))
}

/// The columns of the tiles that begin in row `first`, from the cell of that row on.
fn cells(first: usize, n: usize) -> impl Iterator<Item = Range<usize>> {
    (first / CELL * CELL..n).step_by(CELL).map(move |column| column..(column + CELL).min(n))
}

/// Whether a tile lies in the square of a cell on the diagonal, which is symmetric by itself.
fn is_on_diagonal(row: usize, column: usize) -> bool {
    row / CELL == column / CELL
}

impl<A: Entry> TiledAffinity<'_, A> {
    /// The number of rows.
    pub(crate) fn dim(&self) -> usize {
        match self {
            Self::Stored(tiles) => tiles.n,
            Self::Computed(kernel) => kernel.len(),
            Self::External(affinity) => affinity.dim(),
        }
    }

    /// Sums over the tiles of each strip with `f`, which is called with the sum, the first row and column of a tile, and
    /// the tile. Returns the sums in the order of the strips; there are none of an external affinity.
    fn over_strips<S: Send>(
        &self,
        job: &Job,
        start: impl Fn() -> S + Sync,
        f: impl Fn(&mut S, usize, usize, ArrayView2<A>) + Sync,
    ) -> Result<Vec<S>> {
        let n = self.dim();
        let sum_of_strip = |strip: Range<usize>| {
            let mut task = job.task()?;
            let mut sum = start();
            let mut buffer = Array2::zeros((TILE_ROWS, CELL));
            for (rows, columns) in tiles_of(&strip, n) {
                task.pause()?;
                let (row, column) = (rows.start, columns.start);
                match self {
                    Self::Stored(tiles) => f(&mut sum, row, column, tiles.tile(row, column)),
                    Self::Computed(kernel) => {
                        let mut tile = buffer.slice_mut(s![..rows.len(), ..columns.len()]);
                        kernel.affinities(rows, columns, tile.view_mut());
                        f(&mut sum, row, column, tile.view());
                    }
                    Self::External(_) => {}
                }
            }
            Ok(sum)
        };
        job.in_tasks(|| strips(n).into_par_iter().with_max_len(1).map(sum_of_strip).collect())
    }

    /// Computes the trace and the squared norm of S G S, from the squares of the diagonal of S.
    pub(crate) fn moments(&self, squares: &[f64], job: &Job) -> Result<(f64, f64)> {
        if let Self::External(affinity) = self {
            return affinity.moments(squares, job);
        }
        let add = |(trace, norm): &mut (f64, f64), row: usize, column: usize, tile: ArrayView2<A>| {
            // An entry right of the diagonal's squares counts for its mirror image as well.
            let count = if is_on_diagonal(row, column) { 1.0 } else { 2.0 };
            for (i, line) in (row..).zip(tile.rows()) {
                let mut sum = 0.0;
                for (j, &entry) in (column..).zip(line) {
                    let entry: f64 = entry.into();
                    sum += entry * entry * squares[j];
                    if i == j {
                        *trace += entry * squares[i];
                    }
                }
                *norm += count * sum * squares[i];
            }
        };
        let parts = self.over_strips(job, || (0.0, 0.0), add)?;
        Ok(parts.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1)))
    }

    /// Computes the trace and the squared norm of S G S, with S the diagonal matrix of `scale`. Squares of numbers far from
    /// 1 leave the range of f64 where entries of S G S do not, so then each entry is scaled before it is squared.
    pub(crate) fn scaled_moments(&self, scale: &[f64], job: &Job) -> Result<(f64, f64)> {
        let squares: Vec<f64> = scale.iter().map(|scale| scale * scale).collect();
        let near_one = power_of_two(-SAFE_EXPONENT)..=power_of_two(SAFE_EXPONENT);
        if matches!(self, Self::External(_)) || squares.iter().all(|square| near_one.contains(square)) {
            return self.moments(&squares, job);
        }
        let add = |(trace, norm): &mut (f64, f64), row: usize, column: usize, tile: ArrayView2<A>| {
            let count = if is_on_diagonal(row, column) { 1.0 } else { 2.0 };
            for ((i, j), &entry) in tile.indexed_iter() {
                let (i, j) = (row + i, column + j);
                let scaled = entry.into() * scale[i] * scale[j];
                *norm += count * scaled * scaled;
                if i == j {
                    *trace += scaled;
                }
            }
        };
        let parts = self.over_strips(job, || (0.0, 0.0), add)?;
        Ok(parts.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1)))
    }

    /// Computes G X for a G whose rows have absolute sums up to `largest_row`. The product of a tile is as precise as its
    /// entries; sums over tiles are in f64.
    pub(crate) fn times(&self, x: &Array2<f64>, largest_row: f64, job: &Job) -> Result<Array2<f64>> {
        self.times_rounded(x, &SumRounding::new(x.view(), largest_row), job)
    }

    /// Computes G X with a rounding that is given.
    pub(crate) fn times_rounded(&self, x: &Array2<f64>, rounding: &SumRounding, job: &Job) -> Result<Array2<f64>> {
        struct Strip<A> {
            sums: Array2<f64>,
            product: Array2<A>,
        }
        if let Self::External(affinity) = self {
            return affinity.times(x, rounding, job);
        }
        let vectors = A::rounded(x);
        let start = || Strip { sums: Array2::zeros(x.raw_dim()), product: Array2::zeros((CELL, x.ncols())) };
        let add = |strip: &mut Strip<A>, row: usize, column: usize, tile: ArrayView2<A>| {
            let (rows, columns) = (row..row + tile.nrows(), column..column + tile.ncols());
            let of_rows = vectors.slice(s![rows.clone(), ..]);
            let of_columns = vectors.slice(s![columns.clone(), ..]);
            rounding.add(tile, of_columns, &mut strip.product, strip.sums.slice_mut(s![rows, ..]));
            if !is_on_diagonal(row, column) {
                rounding.add(tile.t(), of_rows, &mut strip.product, strip.sums.slice_mut(s![columns, ..]));
            }
        };
        let mut parts = self.over_strips(job, start, add)?.into_iter().map(|strip| strip.sums);
        let mut total = parts.next().unwrap_or_else(|| Array2::zeros(x.raw_dim()));
        for part in parts {
            total += &part;
        }
        Ok(total)
    }
}

/// The tiles of a kernel in memory.
pub(crate) struct StoredTiles<A> {
    n: usize,
    /// For each group of [`TILE_ROWS`] rows, one tile per cell of columns.
    tiles: Vec<Vec<Array2<A>>>,
}

impl<A: Entry> StoredTiles<A> {
    /// Computes all tiles of the upper triangle.
    pub(crate) fn new(kernel: &dyn Kernel<A>, job: &Job) -> Result<Self> {
        let n = kernel.len();
        let tiles = job.in_tasks(|| {
            let firsts: Vec<usize> = (0..n).step_by(TILE_ROWS).collect();
            let rows = firsts.into_par_iter().with_max_len(1).map(|first| {
                let mut task = job.task()?;
                let rows = first..(first + TILE_ROWS).min(n);
                let tile = |columns: Range<usize>| {
                    task.pause()?;
                    let mut tile = Array2::zeros((rows.len(), columns.len()));
                    kernel.affinities(rows.clone(), columns, tile.view_mut());
                    Ok(tile)
                };
                cells(first, n).map(tile).collect()
            });
            rows.collect()
        })?;
        Ok(Self { n, tiles })
    }

    fn tile(&self, row: usize, column: usize) -> ArrayView2<'_, A> {
        self.tiles[row / TILE_ROWS][column / CELL - row / CELL].view()
    }
}

/// Strips of rows with about equal areas of the upper triangle. Each begins at a multiple of a tile's rows.
fn strips(n: usize) -> Vec<Range<usize>> {
    let tiles_down = n.div_ceil(TILE_ROWS);
    // The first 1 - sqrt(1 - p) of the rows hold the part p of the area to the right of the diagonal.
    let end = |strip: usize| {
        let rest = 1.0 - (strip as f64 + 1.0) / STRIPS as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the number of tiles"
        )]
        let tiles_above = (tiles_down as f64 * (1.0 - rest.sqrt())).round() as usize;
        if strip + 1 == STRIPS { n } else { (tiles_above * TILE_ROWS).min(n) }
    };
    let ends = (0..STRIPS).map(end);
    let starts = std::iter::once(0).chain((0..STRIPS).map(end));
    starts.zip(ends).map(|(start, end)| start..end).filter(|strip| !strip.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_hold_all_rows_once() {
        for n in [1, 127, 128, 129, 1000, 12_345] {
            let strips = strips(n);
            assert_eq!((strips[0].start, strips[strips.len() - 1].end), (0, n));
            assert!(strips.windows(2).all(|pair| pair[0].end == pair[1].start && pair[0].start % TILE_ROWS == 0));
        }
    }
}
