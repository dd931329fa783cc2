//! Products with a matrix that is uniform among those whose columns are orthonormal and sum to 0.
//!
//! ```text
//! M Q A,    Q = H_1 H_2 ... H_r [D; 0],    H_j = 1 - tau_j v_j v_j',    M = 1 - 2 u u' / u'u,  u = 1 / sqrt(n) + e_1
//! ```
//!
//! H_j takes a vector of n - j normal numbers to a multiple of e_j, whose sign is D_jj. Then [D; 0] times reflections is
//! uniform among the orthonormal matrices of n - 1 rows (Stewart, "The efficient generation of random orthogonal
//! matrices", SIAM J. Numer. Anal. 17, 1980), and the reflection M makes the columns, with a zero above each,
//! orthogonal to 1. Reflections are applied by blocks, in the form 1 - V T V' (Schreiber & Van Loan, SIAM J. Sci. Stat.
//! Comput. 10, 1989), to panels of columns, in parallel. A reflection leaves columns as they are that are 0 in its rows,
//! so a diagonal A costs least.
//!
//! Cost for A [r, d]: 4 d (n r - r^2 / 2) flops, and 2 n r^2 - 2/3 r^3 where A is diagonal.

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, ShapeBuilder, s};

use crate::error::{Error, Result};
use crate::runtime::memory;
use crate::runtime::parallel::Job;

/// Reflections that are applied at once.
const BLOCK: usize = 32;

/// Columns to which reflections are applied at once.
const PANEL: usize = 64;

/// The matrix A [r, d] that is multiplied.
#[derive(Debug, Clone, Copy)]
pub enum Axes<'a> {
    /// A square matrix whose entries off the diagonal are 0.
    Diagonal(&'a [f64]),
    /// Any matrix.
    Dense(ArrayView2<'a, f64>),
}

impl Axes<'_> {
    /// The numbers of rows and columns.
    fn dim(&self) -> (usize, usize) {
        match self {
            Self::Diagonal(entries) => (entries.len(), entries.len()),
            Self::Dense(a) => a.dim(),
        }
    }

    /// Writes the columns from `first` on, as many as `out` has, into the first rows of `out`, which holds zeros.
    fn write(&self, first: usize, out: &mut ArrayViewMut2<f64>) {
        match self {
            Self::Diagonal(entries) => {
                (0..out.ncols()).for_each(|j| out[[first + j, j]] = entries[first + j]);
            }
            Self::Dense(a) => {
                let columns = a.slice(s![.., first..first + out.ncols()]);
                out.slice_mut(s![..a.nrows(), ..]).assign(&columns);
            }
        }
    }
}

/// Computes M Q A from normal numbers: n - 1 of the first reflection, n - 2 of the second, and so on, one for each row
/// of A.
///
/// # Errors
/// [`Error::Invalid`] where A has n rows or more, or the normal numbers are not as many as its reflections need;
/// [`Error::OutOfMemory`]; [`Error::Interrupted`].
pub fn haar_product(n: usize, normal: &[f64], a: Axes, job: &Job) -> Result<Array2<f64>> {
    let (r, d) = a.dim();
    if r >= n {
        return Err(Error::invalid("a", format!("of less than {n} rows"), r));
    }
    let needed = reflection_start(n, r);
    if normal.len() != needed {
        return Err(Error::invalid("normal", format!("{needed} numbers"), normal.len()));
    }
    let panels = memory::dense_bytes(0.0, n, PANEL * job.threads().min(d.div_ceil(PANEL)));
    memory::require(n, memory::dense_bytes(0.0, n, r + d).saturating_add(panels), job)?;
    let mut product = Array2::zeros((n, d));
    job.parallel(|| {
        let starts: Vec<usize> = (0..r).step_by(BLOCK).collect();
        let blocks = starts.into_par_iter().map(|first| Block::new(n, normal, first, BLOCK.min(r - first)));
        let blocks: Vec<Block> = blocks.collect();
        let out = product.axis_chunks_iter_mut(Axis(1), PANEL).into_par_iter().enumerate();
        out.try_for_each(|(number, mut out)| {
            job.check()?;
            let mut panel = Array2::zeros((n, out.ncols()).f());
            a.write(number * PANEL, &mut panel.slice_mut(s![1.., ..]));
            reflect(&blocks, panel.slice_mut(s![1.., ..]));
            panel.columns_mut().into_iter().for_each(mirror);
            out.assign(&panel);
            Ok(())
        })
    })?;
    Ok(product)
}

/// The place in the list of normal numbers at which those of reflection j, from 0 on, begin.
fn reflection_start(n: usize, j: usize) -> usize {
    j * (n - 1) - j * j.saturating_sub(1) / 2
}

/// The product 1 - V T V' of consecutive reflections, and the signs of D in their places.
struct Block {
    /// The number of the first reflection.
    first: usize,
    /// The vectors v_j from row `first` on.
    v: Array2<f64>,
    /// The upper triangle T.
    t: Array2<f64>,
    signs: Array1<f64>,
}

impl Block {
    /// Makes `width` reflections from number `first` on.
    fn new(n: usize, normal: &[f64], first: usize, width: usize) -> Self {
        let mut v = Array2::zeros((n - 1 - first, width).f());
        let (mut tau, mut signs) = (Array1::zeros(width), Array1::ones(width));
        for j in 0..width {
            let (start, end) = (reflection_start(n, first + j), reflection_start(n, first + j + 1));
            let x = &normal[start..end];
            let beta = -x.iter().map(|x| x * x).sum::<f64>().sqrt().copysign(x[0]);
            v[[j, j]] = 1.0;
            if beta == 0.0 {
                continue; // a vector of zeros, which normal numbers are not: the reflection that changes nothing
            }
            (tau[j], signs[j]) = ((beta - x[0]) / beta, 1.0_f64.copysign(beta));
            let scale = (x[0] - beta).recip();
            v.slice_mut(s![j + 1.., j]).iter_mut().zip(&x[1..]).for_each(|(v, x)| *v = x * scale);
        }
        let products = v.t().dot(&v);
        let mut t = Array2::zeros((width, width).f());
        for j in 0..width {
            let above = t.slice(s![..j, ..j]).dot(&products.slice(s![..j, j]));
            t.slice_mut(s![..j, j]).assign(&(above * -tau[j]));
            t[[j, j]] = tau[j];
        }
        Self { first, v, t, signs }
    }

    /// Applies the reflections to the rows from `first` on.
    fn apply(&self, panel: &mut ArrayViewMut2<f64>) {
        let mut rows = panel.slice_mut(s![self.first.., ..]);
        let along = self.t.dot(&self.v.t().dot(&rows));
        general_mat_mul(-1.0, &self.v, &along, 1.0, &mut rows);
    }
}

/// Multiplies a panel of columns [A; 0] by Q.
fn reflect(blocks: &[Block], mut panel: ArrayViewMut2<f64>) {
    let nonzero = |row: ArrayView1<f64>| row.iter().any(|&entry| entry != 0.0);
    let end = panel.rows().into_iter().rposition(nonzero).map_or(0, |last| last + 1);
    let used = &blocks[..end.div_ceil(BLOCK)];
    for block in used {
        let mut rows = panel.slice_mut(s![block.first..block.first + block.signs.len(), ..]);
        rows *= &block.signs.view().insert_axis(Axis(1));
    }
    for block in used.iter().rev() {
        block.apply(&mut panel);
    }
}

/// Applies M to a column whose first entry is 0.
fn mirror(mut column: ArrayViewMut1<f64>) {
    let root = (column.len() as f64).sqrt();
    let along = column.sum() / root / (1.0 + root.recip()); // 2 u'x / u'u
    column.mapv_inplace(|entry| entry - along / root);
    column[0] -= along;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use crate::runtime::test_size::sized;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    /// Irwin-Hall numbers, which are nearly normal.
    fn normal(n: usize, r: usize) -> Vec<f64> {
        let mut rng = StdRng::seed_from_u64((n * r) as u64);
        (0..reflection_start(n, r)).map(|_| (0..12).map(|_| rng.random_range(-0.5..0.5)).sum()).collect()
    }

    fn product(n: usize, normal: &[f64], a: &Array2<f64>, threads: usize) -> Result<Array2<f64>> {
        parallel::run(threads, || false, |job| haar_product(n, normal, Axes::Dense(a.view()), job))
    }

    /// Each reflection in turn, as it is defined, from the last to the first.
    fn one_by_one(n: usize, normal: &[f64], a: &Array2<f64>) -> Array2<f64> {
        let (m, r) = (n - 1, a.nrows());
        let mut q = Array2::zeros((n, a.ncols()));
        q.slice_mut(s![1..=r, ..]).assign(a);
        let reflect = |q: &mut Array2<f64>, v: Array1<f64>| {
            let along = v.dot(q) * (2.0 / v.dot(&v));
            *q -= &(&v.insert_axis(Axis(1)) * &along);
        };
        for j in (0..r).rev() {
            let start = reflection_start(n, j);
            let x = Array1::from_vec(normal[start..start + m - j].to_vec());
            let mut v = Array1::zeros(n);
            v.slice_mut(s![1 + j..]).assign(&x);
            v[1 + j] += x.dot(&x).sqrt().copysign(x[0]);
            // H takes e to -sign(x) x / |x|, and D to x / |x|.
            q.row_mut(1 + j).mapv_inplace(|entry| entry * -1.0_f64.copysign(x[0]));
            reflect(&mut q, v);
        }
        let mut u = Array1::from_elem(n, (n as f64).sqrt().recip());
        u[0] += 1.0;
        reflect(&mut q, u);
        q
    }

    #[test]
    fn columns_are_orthonormal_and_sum_to_zero() {
        let n = sized(300, 90);
        for r in [1, 7, BLOCK, BLOCK + 1, n / 2, n - 2, n - 1] {
            let q = product(n, &normal(n, r), &Array2::eye(r), 2).unwrap();
            approx::assert_abs_diff_eq!(q.t().dot(&q), Array2::eye(r), epsilon = 1e-13);
            assert!(q.sum_axis(Axis(0)).iter().all(|sum| sum.abs() < 1e-13));
        }
    }

    #[test]
    fn blocks_and_panels_change_nothing() {
        for (n, r, d) in [(2, 1, 3), (40, 39, 2), (100, 70, 130), (60, 5, 200)] {
            let normal = normal(n, r);
            let dense = Array2::from_shape_fn((r, d), |(i, j)| ((i * 29 + j * 7) % 53) as f64 - 26.0);
            let upper = Array2::from_shape_fn((r, d), |(i, j)| if i > j { 0.0 } else { dense[[i, j]] });
            for a in [dense, upper, Array2::zeros((r, d))] {
                let found = product(n, &normal, &a, 2).unwrap();
                assert_eq!(found, product(n, &normal, &a, 1).unwrap());
                approx::assert_abs_diff_eq!(found, one_by_one(n, &normal, &a), epsilon = 1e-12 * 26.0 * n as f64);
            }
            let entries: Vec<f64> = (0..r).map(|i| (i as f64).sin()).collect();
            let work = |job: &Job| haar_product(n, &normal, Axes::Diagonal(&entries), job);
            let dense = product(n, &normal, &Array2::from_diag(&Array1::from(entries.clone())), 1);
            assert_eq!(parallel::run(2, || false, work), dense);
        }
    }

    #[test]
    fn wrong_sizes_are_refused_and_zeros_are_no_reflection() {
        assert_eq!(product(5, &[], &Array2::zeros((0, 3)), 1), Ok(Array2::zeros((5, 3))));
        for (n, length, r) in [(3, 3, 3), (4, 4, 2), (4, 6, 2)] {
            assert!(matches!(product(n, &vec![1.0; length], &Array2::eye(r), 1), Err(Error::Invalid { .. })));
        }
        let q = product(4, &[0.0; 5], &Array2::eye(2), 1).unwrap();
        approx::assert_abs_diff_eq!(q.t().dot(&q), Array2::eye(2), epsilon = 1e-14);
        let stopped = parallel::run(
            1,
            || true,
            |job| loop {
                haar_product(9, &normal(9, 8), Axes::Diagonal(&[1.0; 8]), job)?;
            },
        );
        assert_eq!(stopped.map(|(): ()| ()), Err(Error::Interrupted));
    }
}
