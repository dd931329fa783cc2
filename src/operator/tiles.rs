//! Products with an affinity, tile by tile, with the same bits wherever its tiles are and in whatever order they are
//! summed.
//!
//! ```text
//! Y = G X,     tiles of 128 rows and 512 columns, each multiplied as it is and, right of the diagonal, transposed
//! ```
//!
//! Krylov spaces magnify rounding: a product that differs in its last bits ends in another basis, and an estimate in
//! another number, as good but not the same. So each tile's product is rounded to a multiple of one power of two for each
//! column, which is such that all sums are exact (Demmel & Nguyen, "Fast reproducible floating-point summation", ARITH
//! 2013): the result depends neither on threads nor on storage, nor on which of several machines of one kind computes
//! which tiles. Cost of a
//! product with b columns: 2 N^2 b flops, and where G is not stored the distances and exponentials of one triangle. Memory:
//! `STRIPS` blocks of N b numbers besides.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};

use crate::error::Result;
use crate::kernel::Kernel;
use crate::linalg::scalar::Entry;
use crate::runtime::parallel::Job;

/// Columns of a tile. Parts of a data set on several machines begin at multiples of it.
pub const CELL: usize = 512;

/// Rows of a tile: so many divide a cell.
pub(crate) const TILE_ROWS: usize = 128;

/// Strips of rows of about equal area, each with a sum of its own.
const STRIPS: usize = 16;

/// An affinity that is computed elsewhere.
pub trait ExternalAffinity: Sync {
    /// N.
    fn dim(&self) -> usize;

    /// G X, the product of each tile rounded by [`SumRounding`].
    ///
    /// # Errors
    /// Its own; interrupted.
    fn times(&self, x: &Array2<f64>, rounding: &SumRounding, job: &Job) -> Result<Array2<f64>>;

    /// The trace and the squared norm of S G S, from the squares of the diagonal of S.
    ///
    /// # Errors
    /// Its own; interrupted.
    fn moments(&self, squares: &[f64], job: &Job) -> Result<(f64, f64)>;
}

/// Where the tiles of an affinity come from.
pub(crate) enum TiledAffinity<'a, A> {
    Stored(&'a StoredTiles<A>),
    Computed(&'a dyn Kernel<A>),
    External(&'a dyn ExternalAffinity),
}

/// The products of tiles are rounded such that their sums are exact.
#[derive(Debug, Clone, PartialEq)]
pub struct SumRounding {
    /// Of each column, a number that is added to each product and subtracted again; 0 where nothing is rounded.
    pub ceilings: Vec<f64>,
}

impl SumRounding {
    /// For products of `x` with a matrix whose rows have absolute sums up to `largest_row`.
    fn new(x: ArrayView2<f64>, largest_row: f64) -> Self {
        let ceiling = |column: ndarray::ArrayView1<f64>| {
            let largest = column.iter().fold(0.0, |largest: f64, entry| largest.max(entry.abs()));
            // Twice as large as any sum, so that the last bit is that of the ceiling.
            let bound = 2.0 * largest * largest_row;
            if bound > 0.0 && bound < f64::MAX / 8.0 { 1.5 * bound.log2().ceil().exp2() } else { 0.0 }
        };
        Self { ceilings: x.axis_iter(Axis(1)).map(ceiling).collect() }
    }

    /// Adds `a b` to `sums`; `product` is a buffer.
    pub(crate) fn add<A: Entry>(
        &self,
        a: ArrayView2<A>,
        b: ArrayView2<A>,
        product: &mut Array2<A>,
        mut sums: ArrayViewMut2<f64>,
    ) {
        let mut product = product.slice_mut(s![..sums.nrows(), ..]);
        general_mat_mul(A::one(), &a, &b, A::zero(), &mut product);
        for (mut sums, product) in sums.rows_mut().into_iter().zip(product.rows()) {
            for ((sum, &entry), &ceiling) in sums.iter_mut().zip(product).zip(&self.ceilings) {
                *sum += (entry.into() + ceiling) - ceiling;
            }
        }
    }
}

/// The rows of a strip, cut where cells begin.
fn groups(strip: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let Range { start, end } = *strip;
    (start / CELL * CELL..end).step_by(CELL).map(move |first| first.max(start)..(first + CELL).min(end))
}

/// The cells of the columns of a tile, from that on in which its rows are.
fn cells(first: usize, n: usize) -> impl Iterator<Item = Range<usize>> {
    (first / CELL * CELL..n).step_by(CELL).map(move |column| column..(column + CELL).min(n))
}

impl<A: Entry> TiledAffinity<'_, A> {
    pub(crate) fn dim(&self) -> usize {
        match self {
            Self::Stored(tiles) => tiles.n,
            Self::Computed(kernel) => kernel.len(),
            Self::External(given) => given.dim(),
        }
    }

    /// What `f` adds up over the tiles of each strip, in the order of the strips; it is told where a tile begins.
    fn over_strips<S: Send>(
        &self,
        job: &Job,
        start: impl Fn() -> S + Sync,
        f: impl Fn(&mut S, usize, usize, ArrayView2<A>) + Sync,
    ) -> Result<Vec<S>> {
        let n = self.dim();
        job.parallel(|| {
            let strips = strips(n).into_par_iter().with_max_len(1);
            strips
                .map(|strip| {
                    let mut sum = start();
                    let mut buffer = Array2::zeros((TILE_ROWS, CELL));
                    // What belongs to the columns of a cell stays in a core's cache for all of its rows.
                    for (group, columns) in groups(&strip).flat_map(|group| {
                        let cells = cells(group.start, n);
                        cells.map(move |columns| (group.clone(), columns))
                    }) {
                        job.check()?;
                        for first in group.clone().step_by(TILE_ROWS) {
                            let rows = first..(first + TILE_ROWS).min(group.end);
                            let column = columns.start;
                            match self {
                                Self::Stored(tiles) => f(&mut sum, first, column, tiles.tile(first, column)),
                                Self::Computed(kernel) => {
                                    let mut tile = buffer.slice_mut(s![..rows.len(), ..columns.len()]);
                                    kernel.affinities(rows, columns.clone(), tile.view_mut());
                                    f(&mut sum, first, column, tile.view());
                                }
                                Self::External(_) => {}
                            }
                        }
                    }
                    Ok(sum)
                })
                .collect()
        })
    }

    /// The trace and the squared norm of S G S, from the squares of the diagonal of S.
    pub(crate) fn moments(&self, squares: &[f64], job: &Job) -> Result<(f64, f64)> {
        if let Self::External(given) = self {
            return given.moments(squares, job);
        }
        let parts = self.over_strips(
            job,
            || (0.0, 0.0),
            |(trace, norm), row, column, tile| {
                let on_diagonal = column / CELL == row / CELL;
                for (i, line) in (row..).zip(tile.rows()) {
                    let mut sum = 0.0;
                    for (j, &entry) in (column..).zip(line) {
                        let entry: f64 = entry.into();
                        sum += entry * entry * squares[j];
                        if i == j {
                            *trace += entry * squares[i];
                        }
                    }
                    *norm += if on_diagonal { 1.0 } else { 2.0 } * sum * squares[i];
                }
            },
        )?;
        Ok(parts.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1)))
    }

    /// G X, where the absolute values in a row of G sum to `largest_row` at most. The product of a tile is as precise as
    /// its entries; sums over tiles are in f64.
    pub(crate) fn times(&self, x: &Array2<f64>, largest_row: f64, job: &Job) -> Result<Array2<f64>> {
        self.times_rounded(x, &SumRounding::new(x.view(), largest_row), job)
    }

    /// The same with a rounding that is given.
    pub(crate) fn times_rounded(&self, x: &Array2<f64>, rounding: &SumRounding, job: &Job) -> Result<Array2<f64>> {
        struct Strip<A> {
            sums: Array2<f64>,
            product: Array2<A>,
        }
        if let Self::External(given) = self {
            return given.times(x, rounding, job);
        }
        let vectors = A::rounded(x);
        let parts = self.over_strips(
            job,
            || Strip { sums: Array2::zeros(x.raw_dim()), product: Array2::zeros((CELL, x.ncols())) },
            |strip, row, column, tile| {
                let (rows, columns) = (row..row + tile.nrows(), column..column + tile.ncols());
                let of_rows = vectors.slice(s![rows.clone(), ..]);
                let of_columns = vectors.slice(s![columns.clone(), ..]);
                rounding.add(tile, of_columns, &mut strip.product, strip.sums.slice_mut(s![rows, ..]));
                // The square on the diagonal is symmetric by itself.
                if column / CELL > row / CELL {
                    rounding.add(tile.t(), of_rows, &mut strip.product, strip.sums.slice_mut(s![columns, ..]));
                }
            },
        )?;
        let mut parts = parts.into_iter().map(|strip| strip.sums);
        let mut total = parts.next().unwrap_or_else(|| Array2::zeros(x.raw_dim()));
        for part in parts {
            total += &part;
        }
        Ok(total)
    }
}

/// The tiles of a kernel, kept.
pub(crate) struct StoredTiles<A> {
    n: usize,
    /// Of each tile's rows, one a cell.
    tiles: Vec<Vec<Array2<A>>>,
}

impl<A: Entry> StoredTiles<A> {
    pub(crate) fn new(kernel: &dyn Kernel<A>, job: &Job) -> Result<Self> {
        let n = kernel.len();
        let tiles = job.parallel(|| {
            let firsts: Vec<usize> = (0..n).step_by(TILE_ROWS).collect();
            let rows = firsts.into_par_iter().with_max_len(1).map(|first| {
                job.check()?;
                let rows = first..(first + TILE_ROWS).min(n);
                let tile = |columns: Range<usize>| {
                    let mut tile = Array2::zeros((rows.len(), columns.len()));
                    kernel.affinities(rows.clone(), columns, tile.view_mut());
                    tile
                };
                Ok(cells(first, n).map(tile).collect())
            });
            rows.collect()
        })?;
        Ok(Self { n, tiles })
    }

    fn tile(&self, row: usize, column: usize) -> ArrayView2<'_, A> {
        self.tiles[row / TILE_ROWS][column / CELL - row / CELL].view()
    }
}

/// Rows in strips of about equal area of the upper triangle, each a multiple of a tile's rows but for the last.
fn strips(n: usize) -> Vec<Range<usize>> {
    let tiles_down = n.div_ceil(TILE_ROWS);
    // Of the area to the right of the diagonal, 1 - sqrt(1 - part) of the rows hold a part.
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

    /// Pieces whose sums would round differently in another order.
    #[test]
    fn sums_are_the_same_in_any_order() {
        let a = Array2::from_shape_fn((700, 3), |(i, j)| (i as f64 * 0.37 + j as f64).sin() / 3.0);
        let x = Array2::from_shape_fn((3, 2), |(i, j)| (i + 2 * j) as f64 / 7.0 - 0.4);
        let rounding = SumRounding::new(x.view(), 700.0 * 3.0);
        let sum = |order: &mut dyn Iterator<Item = usize>| {
            let (mut sums, mut buffer) = (Array2::zeros((1, 2)), Array2::zeros((1, 2)));
            order.for_each(|i| rounding.add(a.slice(s![i..=i, ..]), x.view(), &mut buffer, sums.view_mut()));
            sums
        };
        let forward = sum(&mut (0..700));
        assert_eq!(forward, sum(&mut (0..700).rev()));
        approx::assert_abs_diff_eq!(forward, a.dot(&x).sum_axis(Axis(0)).insert_axis(Axis(0)), epsilon = 1e-11);
    }
}
