//! From a symmetric matrix to a symmetric band matrix, with the same eigenvalues.
//!
//! The matrix is reduced panel by panel of `width` columns. Below the band a panel is Q R, and the matrix behind it, A,
//! becomes Q' A Q with Q = I - V T V', that is
//!
//! ```text
//! A - V W' - W V',  W = Y - V (T' V' Y) / 2,  Y = A V T
//! ```
//!
//! (Dongarra, Hammarling & Sorensen, "Block reduction of matrices to condensed forms for eigenvalue computations", J.
//! Comput. Appl. Math. 27, 1989, doi:10.1016/0377-0427(89)90367-1; to a band: Grosser & Lang, "Efficient parallel
//! reduction to bidiagonal form", Parallel Comput. 25, 1999, doi:10.1016/S0167-8191(99)00041-1).
//!
//! For a matrix larger than the caches both the difference and the product with the next V are bound by memory. So the
//! difference is delayed until the next V is known, and each tile is read once for both. Tiles are processed in parallel,
//! in rounds of those that share neither rows nor columns, and their products are summed by rounds, so sums have one order
//! on any number of threads. BLAS has one thread: its own threads spin while they wait, and where another process uses
//! a core they wait for it at each call. Cost: 4/3 N^3 flops, nearly all of them products of tiles. Memory: 16 N width.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};

use crate::error::Result;
use crate::linalg::lapack::panel_qr;
use crate::linalg::symmetric::real::Real;
use crate::runtime::parallel::Job;

/// Reduces a symmetric matrix, given by its upper triangle, to a band with `width` off-diagonals. A row of the result
/// holds the entries of one column, from the diagonal down. The matrix is overwritten.
pub(super) fn dense_to_band<A: Real>(mut matrix: Array2<A>, width: usize, job: &Job) -> Result<Array2<A>> {
    let n = matrix.nrows();
    let height = A::tuning(job.tuning()).tile_rows(width);
    let mut band = Array2::zeros((n, width + 1));
    // LAPACK reads these rows as columns, and requires at least as many rows as columns: zeros are added.
    let mut panel = Array2::zeros((width, n + width));
    let mut update = Update { first: n, left: Array2::zeros((2 * width, n)), right: Array2::zeros((2 * width, n)) };
    job.parallel(|| {
        for first in (0..n).step_by(height) {
            let rows = first..(first + height).min(n);
            mirror(matrix.slice_mut(s![rows.clone(), rows]));
        }
        for first in (0..n).step_by(width) {
            job.pause_point()?;
            let behind = (first + width).min(n);
            if first > 0 {
                update.apply_to_rows(matrix.slice_mut(s![first..behind, first..]), first, height);
            }
            copy_diagonal_block(
                matrix.slice(s![first..behind, first..behind]),
                band.slice_mut(s![first..behind, ..]),
            );
            if behind == n {
                break;
            }
            let m = n - behind;
            panel.slice_mut(s![.., ..m]).assign(&matrix.slice(s![first..behind, behind..]));
            panel.slice_mut(s![.., m..m + width]).fill(A::zero());
            let t = panel_qr(panel.slice_mut(s![.., ..m.max(width)]))?;
            take_r(&mut panel, band.slice_mut(s![first..behind, ..]));
            let v = panel.slice(s![.., ..m]);
            let ranges = tile_rows(behind..n, height);
            let products = update_and_multiply(matrix.slice_mut(s![behind.., behind..]), v, &update, &ranges, job)?;
            update.renew(&ranges, v, &t, products);
        }
        Ok(())
    })?;
    Ok(band)
}

/// Copies the upper triangle to the lower one.
fn mirror<A: Real>(mut tile: ArrayViewMut2<A>) {
    for i in 0..tile.nrows() {
        for j in 0..i {
            tile[[i, j]] = tile[[j, i]];
        }
    }
}

/// Copies the upper triangle of a diagonal block to the band.
fn copy_diagonal_block<A: Real>(block: ArrayView2<A>, mut band: ArrayViewMut2<A>) {
    let width = block.nrows();
    for (i, (row, mut below)) in block.rows().into_iter().zip(band.rows_mut()).enumerate() {
        below.slice_mut(s![..width - i]).assign(&row.slice(s![i..]));
    }
}

/// Moves R from a factored panel to the band. The panel keeps V.
fn take_r<A: Real>(panel: &mut Array2<A>, mut band: ArrayViewMut2<A>) {
    let width = panel.nrows();
    for (j, (mut column, mut below)) in panel.rows_mut().into_iter().zip(band.rows_mut()).enumerate() {
        let mut r = column.slice_mut(s![..=j]);
        below.slice_mut(s![width - j..]).assign(&r);
        r.fill(A::zero());
        column[j] = A::one();
    }
}

/// The rows of each tile. Tiles keep their places in the whole matrix, so the first one may be cut.
fn tile_rows(rows: Range<usize>, height: usize) -> Vec<Range<usize>> {
    let blocks = rows.start / height..rows.end.div_ceil(height);
    blocks.map(|block| (block * height).max(rows.start)..((block + 1) * height).min(rows.end)).collect()
}

/// The delayed update `A - V W' - W V'` of the rows and columns from `first` on.
struct Update<A> {
    first: usize,
    /// V' above W'.
    left: Array2<A>,
    /// W' above V'.
    right: Array2<A>,
}

impl<A: Real> Update<A> {
    /// Updates a tile.
    fn apply(&self, tile: &mut ArrayViewMut2<A>, rows: &Range<usize>, columns: &Range<usize>) {
        let of = |range: &Range<usize>| s![.., range.start - self.first..range.end - self.first];
        general_mat_mul(-A::one(), &self.left.slice(of(rows)).t(), &self.right.slice(of(columns)), A::one(), tile);
    }

    /// Updates rows that begin with their diagonal entries, in parallel pieces of columns.
    fn apply_to_rows(&self, mut rows: ArrayViewMut2<A>, first: usize, piece: usize) {
        let own = first..first + rows.nrows();
        let pieces = rows.axis_chunks_iter_mut(Axis(1), piece).into_par_iter().enumerate();
        pieces.for_each(|(i, mut tile)| {
            let start = first + i * piece;
            let columns = start..start + tile.ncols();
            self.apply(&mut tile, &own, &columns);
        });
    }

    /// Replaces the update by that of the next panel, from V', T, and the products V' A of each range.
    fn renew(&mut self, ranges: &[Range<usize>], v: ArrayView2<A>, t: &Array2<A>, products: Vec<Array2<A>>) {
        let width = v.nrows();
        self.first = ranges[0].start;
        // Y' = T' V' A, and V' Y by ranges.
        let parts: Vec<(Array2<A>, Array2<A>)> = products
            .into_par_iter()
            .zip(ranges)
            .with_max_len(1)
            .map(|(product, range)| {
                let y = t.t().dot(&product);
                let inner = v.slice(s![.., range.start - self.first..range.end - self.first]).dot(&y.t());
                (y, inner)
            })
            .collect();
        let mut inner = Array2::zeros((width, width));
        for (_, part) in &parts {
            inner += part;
        }
        let s = t.t().dot(&inner);
        let half = A::real(-0.5);
        let (mut left, mut right) = (self.left.view_mut(), self.right.view_mut());
        let mut places = Vec::with_capacity(ranges.len());
        for range in ranges {
            let (of_left, rest_of_left) = left.split_at(Axis(1), range.len());
            let (of_right, rest_of_right) = right.split_at(Axis(1), range.len());
            (left, right) = (rest_of_left, rest_of_right);
            places.push((of_left, of_right, range.start - self.first..range.end - self.first));
        }
        places.into_par_iter().zip(parts).with_max_len(1).for_each(|((mut left, mut right, range), (mut y, _))| {
            let v = v.slice(s![.., range]);
            general_mat_mul(half, &s.t(), &v, A::one(), &mut y);
            left.slice_mut(s![..width, ..]).assign(&v);
            left.slice_mut(s![width.., ..]).assign(&y);
            right.slice_mut(s![..width, ..]).assign(&y);
            right.slice_mut(s![width.., ..]).assign(&v);
        });
    }
}

/// Applies the update to the rows and columns of the next V, and multiplies: V' A, the columns of each range.
fn update_and_multiply<A: Real>(
    matrix: ArrayViewMut2<A>,
    v: ArrayView2<A>,
    update: &Update<A>,
    ranges: &[Range<usize>],
    job: &Job,
) -> Result<Vec<Array2<A>>> {
    let (blocks, first) = (ranges.len(), ranges[0].start);
    let mut tiles = tiles(matrix, ranges);
    let mut products: Vec<Array2<A>> = ranges.iter().map(|range| Array2::zeros((v.nrows(), range.len()))).collect();
    let v_of = |block: usize| v.slice(s![.., ranges[block].start - first..ranges[block].end - first]);
    let at_once = rounds_at_once(blocks, job.threads());
    for rounds in (0..blocks).step_by(at_once).map(|round| round..(round + at_once).min(blocks)) {
        job.pause_point()?;
        let pairs = rounds.flat_map(|round| pairs_of_round(round, blocks));
        let tasks: Vec<_> = pairs.filter_map(|(i, j)| Some((i, j, tiles[i][j].take()?))).collect();
        let parts = tasks.into_par_iter().with_max_len(1).map(|(i, j, mut tile)| {
            if update.first < first {
                update.apply(&mut tile, &ranges[i], &ranges[j]);
            }
            let transposed = (i != j).then(|| (i, v_of(j).dot(&tile.t())));
            [Some((j, v_of(i).dot(&tile))), transposed]
        });
        let parts: Vec<_> = parts.collect();
        products.par_iter_mut().enumerate().with_max_len(1).for_each(|(block, product)| {
            for (_, part) in parts.iter().flatten().flatten().filter(|(of, _)| *of == block) {
                *product += part;
            }
        });
    }
    Ok(products)
}

/// The pairs of blocks of one round, in which each block meets one other block, or itself.
fn pairs_of_round(round: usize, blocks: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..blocks).map(move |one| (one, (round + blocks - one) % blocks)).filter(|(one, other)| one <= other)
}

/// The number of rounds whose tiles are processed in parallel: so many that each thread has sixteen, as far as their
/// products take no more memory than `8 N width` entries. The number changes no sum.
fn rounds_at_once(blocks: usize, threads: usize) -> usize {
    let tiles_of_round = blocks.div_ceil(2);
    threads.saturating_mul(16).min(4 * blocks).div_ceil(tiles_of_round)
}

/// The tiles on and above the diagonal.
fn tiles<'a, A>(matrix: ArrayViewMut2<'a, A>, ranges: &[Range<usize>]) -> Vec<Vec<Option<ArrayViewMut2<'a, A>>>> {
    let mut below = matrix;
    let mut tiles = Vec::with_capacity(ranges.len());
    for (i, rows) in ranges.iter().enumerate() {
        let (mut right, rest) = below.split_at(Axis(0), rows.len());
        below = rest;
        let mut row: Vec<Option<ArrayViewMut2<'a, A>>> = (0..i).map(|_| None).collect();
        for (j, columns) in ranges.iter().enumerate() {
            let (tile, rest) = right.split_at(Axis(1), columns.len());
            right = rest;
            if j >= i {
                row.push(Some(tile));
            }
        }
        tiles.push(row);
    }
    tiles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use crate::runtime::test_size::sized;
    use crate::runtime::tuning::Tuning;
    use ndarray_linalg::{EigValsh, UPLO};
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    const TILE: usize = Tuning::MEASURED.eigenvalues_f64.band_tile_rows[0];

    /// A matrix whose lower triangle, which is not to be read, is NaN.
    fn random(n: usize) -> Array2<f64> {
        let mut rng = StdRng::seed_from_u64(n as u64);
        Array2::from_shape_fn((n, n), |(i, j)| if j < i { f64::NAN } else { rng.random_range(-1.0..1.0) })
    }

    fn reduced<A: Real>(matrix: &Array2<A>, width: usize, threads: usize) -> Array2<A> {
        parallel::run(threads, || false, |job| dense_to_band(matrix.clone(), width, job)).unwrap()
    }

    #[test]
    fn eigenvalues_are_those_of_the_matrix() {
        for width in [1, 3, 16, 48] {
            let large = if width == 16 { sized(2 * TILE + 50, TILE + 1) } else { sized(2 * TILE + 50, 98) };
            let small = [1, 2, 3, 4, 16, 17, 47, 49, 95, 96, 97, TILE - 1, TILE + 1, large];
            for n in small.into_iter().filter(|&n| n <= large) {
                let matrix = random(n);
                let band = reduced(&matrix, width, 2);
                assert_eq!(band.dim(), (n, width + 1));
                let whole = Array2::from_shape_fn((n, n), |(i, j)| matrix[[i.min(j), i.max(j)]]);
                let banded = Array2::from_shape_fn((n, n), |(i, j)| {
                    if i.abs_diff(j) > width { 0.0 } else { band[[i.min(j), i.abs_diff(j)]] }
                });
                let expected = whole.eigvalsh(UPLO::Lower).unwrap();
                let found = banded.eigvalsh(UPLO::Lower).unwrap();
                let largest = expected[0].abs().max(expected[n - 1].abs());
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((found - expected).abs() <= 2e-14 * largest, "{width} {n}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_the_number_of_threads() {
        let matrix = random(4 * TILE + 9);
        let one = reduced(&matrix, 32, 1);
        assert_eq!(one, reduced(&matrix, 32, 2));
        assert_eq!(one, reduced(&matrix, 32, 5));
        #[expect(clippy::cast_possible_truncation, reason = "this is where they are rounded")]
        let single = matrix.mapv(|entry| entry as f32);
        assert_eq!(reduced(&single, 32, 1), reduced(&single, 32, 3));
    }

    #[test]
    fn a_band_matrix_stays() {
        let n = 300;
        let matrix = Array2::from_shape_fn((n, n), |(i, j)| if i.abs_diff(j) > 1 { 0.0 } else { (i + j) as f64 });
        let band = reduced(&matrix, 16, 2);
        assert!(band.outer_iter().enumerate().all(|(j, column)| column[0] == 2.0 * j as f64));
        assert!(band.outer_iter().take(n - 1).enumerate().all(|(j, column)| column[1].abs() == (2 * j + 1) as f64));
        assert!(band.outer_iter().all(|column| column.iter().skip(2).all(|&entry| entry == 0.0)));
    }
}
