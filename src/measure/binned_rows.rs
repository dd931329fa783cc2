//! The classic Shannon entropy of binned rows.
//!
//! ```text
//! H = -sum_b p_b log2 p_b,     p_b the frequency of the tuple b of bins among the rows
//! ```
//!
//! Each column is scaled to [0, 1] and divided into n equal-width bins. Bin k begins at the edge k (1/n); the last bin
//! includes the maximum. Edges and values are rounded as NumPy's `linspace` and `digitize` round them, so a value on an
//! edge falls into the bin into which it falls there. Constant columns add nothing. Cost: N D operations to bin, and
//! N log N comparisons of tuples.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, Zip};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::linalg::scalar::Element;
use crate::measure::entropy::shannon_entropy;
use crate::runtime::parallel::Job;

/// Computes the entropy, in bits, of the rows of `x` with `n_bins` bins per column.
///
/// # Errors
/// [`Error::Invalid`] for `n_bins` of 0; [`Error::Interrupted`].
pub fn binned_rows_entropy<T: Element>(x: ArrayView2<T>, n_bins: usize, job: &Job) -> Result<f64> {
    if n_bins == 0 {
        return Err(Error::invalid("n_bins", "at least 1", n_bins));
    }
    job.in_tasks(|| {
        let mut bins = Array2::<usize>::zeros(x.raw_dim());
        let columns: Vec<_> = bins.axis_iter_mut(Axis(1)).zip(x.axis_iter(Axis(1))).collect();
        columns.into_par_iter().try_for_each(|(mut bins, column)| {
            job.check()?;
            let scale = MinMax::of(column);
            Zip::from(&mut bins).and(column).for_each(|bin, &value| {
                *bin = scale.apply(value.into()).map_or(0, |v| bin_of(v, n_bins));
            });
            Ok(())
        })?;
        let mut rows: Vec<_> = bins.rows().into_iter().collect();
        rows.par_sort_unstable_by(|a, b| a.iter().cmp(b));
        job.check()?;
        let n = rows.len() as f64;
        let same = rows.chunk_by(|a, b| a == b);
        Ok(shannon_entropy(same.map(|tuple| tuple.len() as f64 / n)))
    })
}

/// The last bin whose edge k (1/n), rounded, is at most `v`, which is in [0, 1].
fn bin_of(v: f64, n_bins: usize) -> usize {
    let width = 1.0 / n_bins as f64;
    let starts_by = |k: usize| k as f64 * width <= v;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "v is in [0, 1]")]
    let mut k = ((v * n_bins as f64) as usize).min(n_bins - 1); // correct up to rounding
    while !starts_by(k) {
        k -= 1;
    }
    while k + 1 < n_bins && starts_by(k + 1) {
        k += 1;
    }
    k
}

/// The scaling of a column to [0, 1].
struct MinMax {
    min: f64,
    range: f64,
    /// 1, or 1/2 where the range overflows.
    factor: f64,
}

impl MinMax {
    fn of<T: Element>(column: ArrayView1<T>) -> Self {
        let extent = |factor: f64| {
            let values = column.iter().map(|&v| v.into() * factor);
            let (min, max) =
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), v| (v.min(min), v.max(max)));
            Self { min, range: max - min, factor }
        };
        let scale = extent(1.0);
        if scale.range.is_finite() { scale } else { extent(0.5) }
    }

    /// The scaled value; None where the column is constant.
    fn apply(&self, value: f64) -> Option<f64> {
        (self.range > 0.0).then(|| (value * self.factor - self.min) / self.range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use ndarray::array;

    fn entropy(x: &Array2<f64>, n_bins: usize) -> f64 {
        parallel::run(2, || false, |job| binned_rows_entropy(x.view(), n_bins, job)).unwrap()
    }

    #[test]
    fn distinct_tuples_count() {
        let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
        approx::assert_abs_diff_eq!(entropy(&x, 2), 2.0, epsilon = 1e-14);
        approx::assert_abs_diff_eq!(entropy(&x, 1), 0.0, epsilon = 1e-14);
    }

    /// A value k/n below its edge k (1/n), which is rounded up, falls into the bin before.
    #[test]
    fn edges_are_rounded_as_numpy_rounds_them() {
        let edges = (2..100_u32).flat_map(|n| (1..n).map(move |k| (n, f64::from(k), f64::from(n))));
        let (n_bins, k, n) = edges.into_iter().find(|(_, k, n)| k * (1.0 / n) > k / n).expect("there are some");
        let x = array![[0.0], [(k - 0.5) / n], [k / n], [1.0]];
        // The bins are: the first, k - 1, k - 1 again, the last.
        approx::assert_abs_diff_eq!(entropy(&x, n_bins as usize), 1.5, epsilon = 1e-14);
    }

    #[test]
    fn columns_that_do_not_vary_change_nothing() {
        let x = array![[0.0, 7.0], [0.4, 7.0], [1.0, 7.0]];
        assert_eq!(entropy(&x, 3), entropy(&x.slice(ndarray::s![.., ..1]).to_owned(), 3));
    }

    #[test]
    fn a_range_beyond_the_largest_number_is_scaled() {
        approx::assert_abs_diff_eq!(entropy(&array![[-1.7e308], [1.7e308]], 2), 1.0, epsilon = 1e-14);
    }
}
