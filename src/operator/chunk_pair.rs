//! Products with the blocks of a Gaussian affinity that belong to a pair of chunks of the rows.
//!
//! ```text
//! Y_1 = G_12 X_2,     Y_2 = G_12' X_1,     G_12 the affinities of the rows of chunk 1 to those of chunk 2
//! ```
//!
//! Each machine of several computes some pairs, so that none needs all rows. Chunks are scaled by the mean and the largest
//! entry of all rows, which makes distances and rounding equal to those of one process. Cost: N_1 N_2 D flops for the
//! distances, N_1 N_2 exponentials, and 4 N_1 N_2 b flops for b vectors. A pair runs on one thread, because there are
//! many pairs.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, concatenate, s};

use crate::data::points::Points;
use crate::error::{Error, Result, require_positive};
use crate::kernel::Kernel;
use crate::kernel::bandwidth::Bandwidth;
use crate::kernel::gaussian::Gaussian;
use crate::kernel::gaussian_f32::GaussianF32;
use crate::linalg::scalar::{Element, Entry};
use crate::operator::reproducible_sum::SumRounding;
use crate::operator::tiles::{CELL, TILE_ROWS, TiledAffinity};
use crate::runtime::parallel::Job;

/// The scaling that all chunks of a data set have in common.
#[derive(Debug, Clone)]
pub struct GlobalScaling {
    /// The mean of all rows.
    pub mean: Array1<f64>,
    /// The largest modulus of all entries.
    pub largest: f64,
    /// The bandwidth sigma, in units of the data.
    pub bandwidth: f64,
    /// Whether affinities are computed in f32; see [`GlobalScaling::single_error`].
    pub single: bool,
}

impl GlobalScaling {
    /// The rows of a chunk, scaled and centred as all rows are.
    fn points<T: Element>(&self, rows: ArrayView2<T>) -> Points {
        Points::of_chunk(rows, self.bandwidth, self.largest, self.mean.view())
    }

    /// Checks the bandwidth and the number of columns.
    fn require<T: Element>(&self, rows: ArrayView2<T>) -> Result<()> {
        require_positive("bandwidth", self.bandwidth)?;
        if rows.ncols() != self.mean.len() {
            let requirement = format!("of {} columns", self.mean.len());
            return Err(Error::invalid("x", requirement, format!("{:?}", rows.shape())));
        }
        Ok(())
    }

    /// A bound of the relative error of affinities of these rows in f32; infinite where they cannot be computed in f32.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the number of columns is not that of the mean, or the bandwidth is not positive.
    pub fn single_error<T: Element>(&self, rows: ArrayView2<T>) -> Result<f64> {
        self.require(rows)?;
        let kernel = GaussianF32::new(&self.points(rows), self.bandwidth, f64::MAX);
        Ok(kernel.map_or(f64::INFINITY, |kernel| kernel.entry_error()))
    }
}

/// The rows of a chunk, and vectors with an entry for each row.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a, T> {
    /// The rows [n, D].
    pub rows: ArrayView2<'a, T>,
    /// Vectors [n, b], or the diagonal of a scaling [n, 1].
    pub vectors: ArrayView2<'a, f64>,
}

/// Computes G_12 x_2 and G_21 x_1 of two chunks, or G_11 x_1 of one. Where chunks begin at multiples of [`CELL`], sums
/// over all pairs have the bits that a product in one process has.
///
/// # Errors
/// [`Error::Invalid`] where shapes do not fit; [`Error::Interrupted`].
pub fn pair_product<'a, T: Element>(
    scaling: &GlobalScaling,
    one: Chunk<'a, T>,
    other: Option<Chunk<'a, T>>,
    rounding: &SumRounding,
    job: &Job,
) -> Result<(Array2<f64>, Option<Array2<f64>>)> {
    if rounding.ceilings.len() != one.vectors.ncols() {
        return Err(Error::invalid("ceilings", "one for each column of the vectors", rounding.ceilings.len()));
    }
    let other_vectors = other.map(|other| other.vectors.to_owned());
    let task = Product { one: one.vectors.to_owned(), other: other_vectors, rounding };
    with_kernel(scaling, one, other, task, job)
}

/// Computes the trace and the squared norm of the blocks of S G S that belong to two chunks (both off-diagonal blocks), or
/// to one.
///
/// # Errors
/// [`Error::Invalid`] where shapes do not fit; [`Error::Interrupted`].
pub fn pair_moments<'a, T: Element>(
    scaling: &GlobalScaling,
    one: Chunk<'a, T>,
    other: Option<Chunk<'a, T>>,
    job: &Job,
) -> Result<(f64, f64)> {
    let squares = |chunk: Chunk<T>| chunk.vectors.column(0).mapv(|scale| scale * scale);
    with_kernel(scaling, one, other, Moments { one: squares(one), other: other.map(squares) }, job)
}

/// A computation with a kernel of the rows of both chunks, those of the first before those of the other.
trait PairTask {
    type Output;

    /// Runs it; `first` is the number of rows of the first chunk.
    fn on<A: Entry>(self, kernel: &dyn Kernel<A>, first: usize, job: &Job) -> Result<Self::Output>;
}

/// Checks the chunks, and runs a task with the kernel of their rows in the precision of the scaling.
fn with_kernel<'a, T: Element, F: PairTask>(
    scaling: &GlobalScaling,
    one: Chunk<'a, T>,
    other: Option<Chunk<'a, T>>,
    task: F,
    job: &Job,
) -> Result<F::Output> {
    for chunk in std::iter::once(&one).chain(&other) {
        scaling.require(chunk.rows)?;
        if chunk.vectors.nrows() != chunk.rows.nrows() || chunk.vectors.ncols() != one.vectors.ncols() {
            let requirement = format!("of {} rows", chunk.rows.nrows());
            return Err(Error::invalid("vectors", requirement, format!("{:?}", chunk.vectors.shape())));
        }
    }
    let rows = match other {
        None => one.rows.to_owned(),
        Some(other) => concatenate![Axis(0), one.rows, other.rows],
    };
    let points = scaling.points(rows.view());
    let first = one.rows.nrows();
    if scaling.single {
        let kernel = GaussianF32::new(&points, scaling.bandwidth, f64::MAX);
        let kernel = kernel.ok_or_else(|| Error::invalid("single", "false where rows are far", true))?;
        return task.on(&kernel, first, job);
    }
    task.on(&Gaussian::new(&points, &Bandwidth::Fixed(scaling.bandwidth))?, first, job)
}

/// Calls `f` with the first row, the first column and the entries of each tile of the block of affinities of the first
/// rows to the others.
fn for_each_tile<A: Entry>(
    kernel: &dyn Kernel<A>,
    first: usize,
    job: &Job,
    mut f: impl FnMut(usize, usize, ArrayView2<A>) + Send,
) -> Result<()> {
    let n = kernel.len();
    job.in_tasks(|| {
        let mut task = job.task()?;
        let mut buffer = Array2::zeros((TILE_ROWS, CELL));
        for row in (0..first).step_by(TILE_ROWS) {
            task.pause()?;
            let rows = row..(row + TILE_ROWS).min(first);
            for column in (first..n).step_by(CELL) {
                let columns = column..(column + CELL).min(n);
                let mut tile = buffer.slice_mut(s![..rows.len(), ..columns.len()]);
                kernel.affinities(rows.clone(), columns, tile.view_mut());
                f(row, column - first, tile.view());
            }
        }
        Ok(())
    })
}

/// The products of a pair with vectors.
struct Product<'a> {
    one: Array2<f64>,
    other: Option<Array2<f64>>,
    rounding: &'a SumRounding,
}

impl PairTask for Product<'_> {
    type Output = (Array2<f64>, Option<Array2<f64>>);

    fn on<A: Entry>(self, kernel: &dyn Kernel<A>, first: usize, job: &Job) -> Result<Self::Output> {
        let Some(other) = self.other else {
            return Ok((TiledAffinity::Computed(kernel).times_rounded(&self.one, self.rounding, job)?, None));
        };
        let mut sums = (Array2::zeros(self.one.raw_dim()), Array2::zeros(other.raw_dim()));
        let (one, other) = (A::rounded(&self.one), A::rounded(&other));
        let mut product = Array2::zeros((CELL, one.ncols()));
        for_each_tile(kernel, first, job, |row, column, tile| {
            let (rows, columns) = (row..row + tile.nrows(), column..column + tile.ncols());
            let (of_one, of_other) = (one.slice(s![rows.clone(), ..]), other.slice(s![columns.clone(), ..]));
            self.rounding.add(tile, of_other, &mut product, sums.0.slice_mut(s![rows, ..]));
            self.rounding.add(tile.t(), of_one, &mut product, sums.1.slice_mut(s![columns, ..]));
        })?;
        Ok((sums.0, Some(sums.1)))
    }
}

/// The trace and the squared norm of S G S, from the squares of the diagonal of S.
struct Moments {
    one: Array1<f64>,
    other: Option<Array1<f64>>,
}

impl PairTask for Moments {
    type Output = (f64, f64);

    fn on<A: Entry>(self, kernel: &dyn Kernel<A>, first: usize, job: &Job) -> Result<Self::Output> {
        let Some(other) = self.other else { return TiledAffinity::Computed(kernel).moments(&self.one.to_vec(), job) };
        let mut norm = 0.0;
        for_each_tile(kernel, first, job, |row, column, tile| {
            let others = other.slice(s![column..column + tile.ncols()]);
            for (line, own) in tile.rows().into_iter().zip(self.one.slice(s![row..])) {
                norm += 2.0 * own * squared_sum(line, others);
            }
        })?;
        Ok((0.0, norm))
    }
}

/// The sum of the squares of a line, each multiplied by its weight.
fn squared_sum<A: Entry>(line: ArrayView1<A>, weights: ArrayView1<f64>) -> f64 {
    let squares = line.iter().zip(weights).map(|(&entry, weight)| {
        let entry: f64 = entry.into();
        entry * entry * weight
    });
    squares.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::scaling::max_abs;
    use crate::runtime::parallel;

    /// Chunks of 1300 rows, each of several tiles, add up to the product of all rows, in either precision.
    #[test]
    fn chunks_add_up_to_the_whole() {
        let n = 1300;
        let x = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0 + 100.0);
        let v = Array2::from_shape_fn((n, 2), |(i, j)| ((i * 29 + j * 7) % 53) as f64 / 26.0 - 1.0);
        let points = Points::around_rounded_mean(x.view(), 2.0);
        let mean = x.mean_axis(Axis(0)).unwrap();
        let largest = max_abs(x.rows());
        let rounding = SumRounding { ceilings: vec![1.5 * 4096.0; 2] };
        for single in [false, true] {
            let scaling = GlobalScaling { mean: mean.clone(), largest, bandwidth: 2.0, single };
            let work = |job: &Job| {
                let sigma = Bandwidth::Fixed(2.0);
                let (double, float) = (Gaussian::new(&points, &sigma)?, GaussianF32::new(&points, 2.0, 1.0));
                let float = float.expect("rows are near");
                let (whole, moments) = if single {
                    let affinity = TiledAffinity::Computed(&float);
                    (affinity.times_rounded(&v, &rounding, job)?, affinity.moments(&vec![1.0; n], job)?)
                } else {
                    let affinity = TiledAffinity::Computed(&double);
                    (affinity.times_rounded(&v, &rounding, job)?, affinity.moments(&vec![1.0; n], job)?)
                };
                let ones = Array2::ones((n, 1));
                let cuts = [0..CELL, CELL..2 * CELL, 2 * CELL..n];
                let mut sum = Array2::<f64>::zeros(v.raw_dim());
                let mut of_parts = (0.0, 0.0);
                for (i, a) in cuts.iter().enumerate() {
                    for b in &cuts[i..] {
                        let part = |cut: &std::ops::Range<usize>, of: &'_ Array2<f64>| {
                            of.slice(s![cut.clone(), ..]).to_owned()
                        };
                        let (xa, xb, va, vb) = (part(a, &x), part(b, &x), part(a, &v), part(b, &v));
                        let (oa, ob) = (part(a, &ones), part(b, &ones));
                        let pair = |left, right| {
                            let one = Chunk { rows: xa.view(), vectors: left };
                            (one, (a != b).then_some(Chunk { rows: xb.view(), vectors: right }))
                        };
                        let (one, other) = pair(va.view(), vb.view());
                        let (of_a, of_b) = pair_product(&scaling, one, other, &rounding, job)?;
                        sum.slice_mut(s![a.clone(), ..]).zip_mut_with(&of_a, |sum, part| *sum += part);
                        if let Some(of_b) = of_b {
                            sum.slice_mut(s![b.clone(), ..]).zip_mut_with(&of_b, |sum, part| *sum += part);
                        }
                        let (one, other) = pair(oa.view(), ob.view());
                        let (trace, norm) = pair_moments(&scaling, one, other, job)?;
                        of_parts = (of_parts.0 + trace, of_parts.1 + norm);
                    }
                }
                assert_eq!(sum, whole);
                approx::assert_relative_eq!(of_parts.0, moments.0, max_relative = 1e-12);
                approx::assert_relative_eq!(of_parts.1, moments.1, max_relative = 1e-12);
                let errors = cuts.iter().map(|cut| scaling.single_error(x.slice(s![cut.clone(), ..])));
                let errors: Vec<f64> = errors.collect::<Result<_>>()?;
                let worst = errors.iter().fold(0.0, |worst: f64, error| worst.max(*error));
                approx::assert_relative_eq!(worst, float.entry_error(), max_relative = 1e-12);
                Ok(())
            };
            parallel::run(2, || false, work).unwrap();
        }
    }

    #[test]
    fn chunks_that_do_not_fit_are_refused() {
        let scaling = GlobalScaling { mean: Array1::zeros(2), largest: 1.0, bandwidth: 1.0, single: false };
        let (rows, wide, vectors) =
            (Array2::<f64>::zeros((3, 2)), Array2::<f64>::zeros((3, 4)), Array2::zeros((2, 1)));
        let of = |rows: &Array2<f64>| {
            let part = Chunk { rows: rows.view(), vectors: vectors.view() };
            let rounding = SumRounding { ceilings: vec![0.0] };
            parallel::run(1, || false, |job| pair_product(&scaling, part, None, &rounding, job))
                .unwrap_err()
                .to_string()
        };
        assert!(of(&rows).starts_with("vectors must be of 3 rows"));
        assert!(of(&wide).starts_with("x must be of 2 columns"));
    }
}
