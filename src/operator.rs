//! Symmetric operators, known by what they do to blocks of vectors.
//!
//! ```text
//! Y = K X,     K = S G S,     S a diagonal matrix, G an affinity, stored or computed anew, tile by tile
//! ```
//!
//! Each tile of the upper triangle of G multiplies twice, as it is and transposed. Rows are dealt to a fixed number of
//! strips, whose contributions are summed in order, so the result has the same bits on any number of threads. Cost of a
//! product with b columns: 2 N^2 b flops, and where G is not stored the distances and exponentials of one triangle.
//! Memory: `STRIPS` blocks of N b numbers besides.

use std::ops::Range;

use bytemuck::Zeroable;
use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, Axis, LinalgScalar, Zip, s};

use crate::diffusion::{inverse_powers, require_positive_sums};
use crate::error::Result;
use crate::kernel::{Kernel, TILE_COLUMNS, tiles};
use crate::parallel::Job;
use crate::triangle::UpperTriangle;

/// Strips of rows of about equal area, each with a sum of its own.
const STRIPS: usize = 16;

/// Rows of a tile.
pub(crate) const TILE_ROWS: usize = 96;

/// A symmetric matrix that need not be stored.
pub trait SymmetricOperator: Sync {
    /// N.
    fn dim(&self) -> usize;

    /// K X, of a block of vectors [N, b].
    ///
    /// # Errors
    /// Interrupted.
    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>>;

    /// The same for the exact way, where [`Self::apply`] has rounded entries.
    ///
    /// # Errors
    /// As above.
    fn apply_exactly(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        self.apply(x, job)
    }

    /// Whether no eigenvalue is negative, by how it is made.
    fn is_positive(&self) -> bool;

    /// The sum of the eigenvalues, if it is known.
    fn trace(&self) -> Option<f64> {
        None
    }

    /// The sum of their squares, if it is known.
    fn squared_norm(&self) -> Option<f64> {
        None
    }

    /// A unit vector near the eigenvector of the largest eigenvalue, if one is known.
    fn leading(&self) -> Option<&[f64]> {
        None
    }

    /// The relative error of its entries.
    fn error(&self) -> f64 {
        f64::EPSILON
    }

    /// The relative error of products: a difference of sums below this part of them is not known.
    fn rounding(&self) -> f64 {
        1e-10
    }
}

/// What affinities may be held in: f32 or f64.
pub(crate) trait Entry: LinalgScalar + Into<f64> + Zeroable + Send + Sync {
    /// The tile in f64, in `buffer` where it is not so already.
    fn widened<'a>(tile: ArrayView2<'a, Self>, buffer: &'a mut Array2<f64>) -> ArrayView2<'a, f64>;
}

impl Entry for f64 {
    fn widened<'a>(tile: ArrayView2<'a, Self>, _: &'a mut Array2<f64>) -> ArrayView2<'a, f64> {
        tile
    }
}

impl Entry for f32 {
    fn widened<'a>(tile: ArrayView2<'a, Self>, buffer: &'a mut Array2<f64>) -> ArrayView2<'a, f64> {
        let (rows, columns) = tile.dim();
        buffer.slice_mut(s![..rows, ..columns]).zip_mut_with(&tile, |wide, &entry| *wide = entry.into());
        buffer.slice(s![..rows, ..columns])
    }
}

/// Where the tiles of an affinity come from.
pub(crate) enum Affinity<'a, A> {
    Stored(&'a UpperTriangle<A>),
    Computed(&'a dyn Kernel<A>),
}

impl<A: Entry> Affinity<'_, A> {
    fn dim(&self) -> usize {
        match self {
            Self::Stored(triangle) => triangle.dim(),
            Self::Computed(kernel) => kernel.len(),
        }
    }

    /// Calls `f` with a tile, `buffer` holding it where it is not stored.
    fn with_tile<T>(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        buffer: &mut Array2<A>,
        f: impl FnOnce(ArrayView2<A>) -> T,
    ) -> T {
        match self {
            Self::Stored(triangle) => f(triangle.tile(rows, columns)),
            Self::Computed(kernel) => {
                let mut tile = buffer.slice_mut(s![..rows.len(), ..columns.len()]);
                kernel.affinities(rows, columns, tile.view_mut());
                f(tile.view())
            }
        }
    }

    /// What `f` adds up over the tiles of each strip, in the order of the strips.
    fn over_strips<S: Send>(
        &self,
        job: &Job,
        start: impl Fn() -> S + Sync,
        f: impl Fn(&mut S, Range<usize>, Range<usize>, ArrayView2<A>) + Sync,
    ) -> Result<Vec<S>> {
        let n = self.dim();
        job.parallel(|| {
            let strips = strips(n).into_par_iter().with_max_len(1);
            strips
                .map(|strip| {
                    let mut sum = start();
                    let mut buffer = Array2::zeros((TILE_ROWS, TILE_COLUMNS));
                    for first in strip.clone().step_by(TILE_ROWS) {
                        job.check()?;
                        let rows = first..(first + TILE_ROWS).min(strip.end);
                        for columns in tiles(first, n) {
                            self.with_tile(rows.clone(), columns.clone(), &mut buffer, |tile| {
                                f(&mut sum, rows.clone(), columns.clone(), tile);
                            });
                        }
                    }
                    Ok(sum)
                })
                .collect()
        })
    }

    /// The trace and the squared norm of S G S, from the squares of the diagonal of S.
    pub(crate) fn moments(&self, squares: &[f64], job: &Job) -> Result<(f64, f64)> {
        let parts = self.over_strips(
            job,
            || (0.0, 0.0),
            |(trace, norm), rows, columns, tile| {
                for (i, row) in rows.clone().zip(tile.rows()) {
                    let mut below = 0.0;
                    for (j, &entry) in columns.clone().zip(row) {
                        let entry: f64 = entry.into();
                        let weighted = entry * entry * squares[j];
                        if i == j {
                            *trace += entry * squares[i];
                            *norm += weighted * squares[i];
                        }
                        below += if j > i { weighted } else { 0.0 };
                    }
                    *norm += 2.0 * below * squares[i];
                }
            },
        )?;
        Ok(parts.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1)))
    }

    /// `weights[i] sum_j G_ij weights[j]`.
    fn weighted_row_sums(&self, weights: &[f64], job: &Job) -> Result<Vec<f64>> {
        let column = Array2::from_shape_vec((weights.len(), 1), weights.to_vec()).expect("one column");
        let sums = self.times(&column, job)?;
        Ok(sums.iter().zip(weights).map(|(sum, weight)| sum * weight).collect())
    }

    /// G X. Entries may be in f32, their products and sums are in f64: of vectors whose sums cancel, as those that stand
    /// at right angles to the first ones do, f32 would leave noise.
    pub(crate) fn times(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        struct Strip {
            sums: Array2<f64>,
            wide: Array2<f64>,
            product: Array2<f64>,
        }
        let width = x.ncols();
        let parts = self.over_strips(
            job,
            || Strip {
                sums: Array2::zeros(x.raw_dim()),
                wide: Array2::zeros((TILE_ROWS, TILE_COLUMNS)),
                product: Array2::zeros((TILE_COLUMNS, width)),
            },
            |strip, rows, columns, tile| {
                let tile = A::widened(tile, &mut strip.wide);
                let mut add = |a: ArrayView2<f64>, from: Range<usize>, to: Range<usize>| {
                    let mut product = strip.product.slice_mut(s![..to.len(), ..]);
                    general_mat_mul(1.0, &a, &x.slice(s![from, ..]), 0.0, &mut product);
                    Zip::from(strip.sums.slice_mut(s![to, ..])).and(&product).for_each(|sum, &entry| *sum += entry);
                };
                add(tile, columns.clone(), rows.clone());
                // The square on the diagonal is symmetric by itself.
                let right = columns.start.max(rows.end)..columns.end;
                if !right.is_empty() {
                    let beyond = tile.slice(s![.., right.start - columns.start..]);
                    add(beyond.reversed_axes(), rows, right);
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

/// The symmetric diffusion operator of an affinity.
pub(crate) struct DiffusionOperator<'a, A> {
    affinity: Affinity<'a, A>,
    positive: bool,
    error: f64,
    scale: Vec<f64>,
    trace: f64,
    squared_norm: f64,
    leading: Vec<f64>,
}

impl<'a, A: Entry> DiffusionOperator<'a, A> {
    /// K of an affinity; see [`crate::diffusion_operator`]. Whether the affinity is positive definite is told, and the
    /// relative error of its entries.
    pub(crate) fn new(affinity: Affinity<'a, A>, positive: bool, error: f64, alpha: f64, job: &Job) -> Result<Self> {
        let ones = vec![1.0; affinity.dim()];
        let mut degrees = affinity.weighted_row_sums(&ones, job)?;
        require_positive_sums(&degrees)?;
        let mut weights = ones;
        if alpha > 0.0 {
            weights = inverse_powers(degrees, alpha);
            degrees = affinity.weighted_row_sums(&weights, job)?;
        }
        let total: f64 = degrees.iter().sum();
        let leading = degrees.iter().map(|degree| (degree / total).sqrt()).collect();
        let scale: Vec<f64> =
            inverse_powers(degrees, 0.5).into_iter().zip(weights).map(|(scale, weight)| scale * weight).collect();
        let squares: Vec<f64> = scale.iter().map(|scale| scale * scale).collect();
        let (trace, squared_norm) = affinity.moments(&squares, job)?;
        Ok(Self { affinity, positive, error, scale, trace, squared_norm, leading })
    }
}

impl<A: Entry> SymmetricOperator for DiffusionOperator<'_, A> {
    fn dim(&self) -> usize {
        self.affinity.dim()
    }

    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        let scaled = |mut block: Array2<f64>| {
            for (mut row, scale) in block.axis_iter_mut(Axis(0)).zip(&self.scale) {
                row *= *scale;
            }
            block
        };
        Ok(scaled(self.affinity.times(&scaled(x.clone()), job)?))
    }

    fn is_positive(&self) -> bool {
        self.positive
    }

    fn trace(&self) -> Option<f64> {
        Some(self.trace)
    }

    fn squared_norm(&self) -> Option<f64> {
        Some(self.squared_norm)
    }

    fn leading(&self) -> Option<&[f64]> {
        Some(&self.leading)
    }

    fn error(&self) -> f64 {
        self.error
    }
}

/// An affinity as it is, or any symmetric matrix of which tiles are known.
pub(crate) struct AffinityOperator<'a, A> {
    affinity: Affinity<'a, A>,
    positive: bool,
    error: f64,
    trace: f64,
    squared_norm: f64,
}

impl<'a, A: Entry> AffinityOperator<'a, A> {
    /// Whether it is positive definite is told, and the relative error of its entries.
    pub(crate) fn new(affinity: Affinity<'a, A>, positive: bool, error: f64, job: &Job) -> Result<Self> {
        let (trace, squared_norm) = affinity.moments(&vec![1.0; affinity.dim()], job)?;
        Ok(Self { affinity, positive, error, trace, squared_norm })
    }
}

impl<A: Entry> SymmetricOperator for AffinityOperator<'_, A> {
    fn dim(&self) -> usize {
        self.affinity.dim()
    }

    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        self.affinity.times(x, job)
    }

    fn is_positive(&self) -> bool {
        self.positive
    }

    fn trace(&self) -> Option<f64> {
        Some(self.trace)
    }

    fn squared_norm(&self) -> Option<f64> {
        Some(self.squared_norm)
    }

    fn error(&self) -> f64 {
        self.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distance::Points;
    use crate::kernel::{Bandwidth, Gaussian, SingleGaussian, gaussian_affinity};
    use crate::{diffusion_operator, parallel};

    #[test]
    fn strips_hold_all_rows_once() {
        for n in [1, 95, 96, 97, 1000, 12_345] {
            let strips = strips(n);
            assert_eq!((strips[0].start, strips[strips.len() - 1].end), (0, n));
            assert!(strips.windows(2).all(|pair| pair[0].end == pair[1].start && pair[0].start % TILE_ROWS == 0));
        }
    }

    /// K as a matrix, against K as it multiplies, with G stored and not, over several strips and tiles.
    #[test]
    fn products_are_those_of_the_matrix() {
        let n = 1700;
        let x = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0);
        let block = Array2::from_shape_fn((n, 4), |(i, j)| ((i * 29 + j * 7) % 53) as f64 - 26.0);
        let points = Points::new(x.view(), 2.0);
        let bandwidth = Bandwidth::Fixed(2.0);
        for alpha in [0.0, 0.5] {
            let work = |job: &Job| {
                let k = diffusion_operator(&points, &bandwidth, alpha, job)?;
                let g = gaussian_affinity(&points, &bandwidth, job)?;
                let stored = DiffusionOperator::new(Affinity::Stored(&g), true, f64::EPSILON, alpha, job)?;
                let kernel = Gaussian::new(&points, &bandwidth)?;
                let tiled = DiffusionOperator::new(Affinity::Computed(&kernel), true, f64::EPSILON, alpha, job)?;
                let dense = AffinityOperator::new(Affinity::Stored(&k), true, f64::EPSILON, job)?;
                let full = Array2::from_shape_fn((n, n), |(i, j)| k.get(i, j));
                let expected = full.dot(&block);
                for operator in [&stored as &dyn SymmetricOperator, &tiled, &dense] {
                    let product = operator.apply(&block, job)?;
                    approx::assert_abs_diff_eq!(product, expected, epsilon = 1e-11);
                    approx::assert_relative_eq!(operator.trace().unwrap(), full.diag().sum(), max_relative = 1e-12);
                    let norm = full.rows().into_iter().map(|row| row.dot(&row)).sum::<f64>();
                    approx::assert_relative_eq!(operator.squared_norm().unwrap(), norm, max_relative = 1e-12);
                    if let Some(leading) = operator.leading() {
                        let leading = Array2::from_shape_vec((n, 1), leading.to_vec()).expect("one column");
                        approx::assert_abs_diff_eq!(operator.apply(&leading, job)?, leading, epsilon = 1e-13);
                    }
                }
                Ok(())
            };
            parallel::run(2, || false, work).unwrap();
        }
    }

    /// Of rows a few bandwidths from their mean; where they are farther there is none.
    #[test]
    fn single_precision_is_near() {
        let n = 1300;
        let x = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0);
        let block = Array2::from_shape_fn((n, 4), |(i, j)| ((i * 29 + j * 7) % 53) as f64 / 26.0 - 1.0);
        let points = Points::new(x.view(), 2.0);
        let work = |job: &Job| {
            let (double, single) =
                (Gaussian::new(&points, &Bandwidth::Fixed(2.0))?, SingleGaussian::new(&points, 2.0, 1e-4));
            let single = single.expect("rows are near");
            let double = DiffusionOperator::new(Affinity::Computed(&double), true, f64::EPSILON, 0.5, job)?;
            let single = DiffusionOperator::new(Affinity::Computed(&single), true, single.error(), 0.5, job)?;
            approx::assert_relative_eq!(single.trace().unwrap(), double.trace().unwrap(), max_relative = 1e-6);
            let norms = [single.squared_norm().unwrap(), double.squared_norm().unwrap()];
            approx::assert_relative_eq!(norms[0], norms[1], max_relative = 1e-6);
            approx::assert_abs_diff_eq!(single.apply(&block, job)?, double.apply(&block, job)?, epsilon = 1e-5);
            Ok(())
        };
        parallel::run(2, || false, work).unwrap();
        assert!(SingleGaussian::new(&points, 1e-3, 1e-4).is_none());
    }
}
