//! Products of tall matrices, whose columns are vectors of N numbers.
//!
//! Each product is computed by blocks of rows, which are summed in order, so the number of threads changes no bit.
//! OpenBLAS's own threads would spin after each product and slow down rayon's. A basis B is a list of matrices, the
//! blocks of its columns from left to right. Cost of a product: 2 N columns(B) columns(W) flops.

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, Axis, s};

use crate::error::Result;
use crate::linalg::upper_triangle::{self, UpperTriangle};
use crate::runtime::parallel::Job;

/// Rows of a block. Another number changes the order of sums.
const BLOCK_ROWS: usize = 1024;

/// Multiplications of a task of a Gram matrix, a few hundredths of a second: interrupts and forks wait for it. Another
/// number changes the order of sums.
const GRAM_TASK: usize = 1 << 30;

/// Columns up to which the rows of a Gram matrix's factor are shared among sixteen tasks. With more columns there are
/// more blocks, which are tasks as well, so fewer parts of each are needed. Another number changes the order of sums.
const GRAM_COLUMNS: usize = 96;

/// Computes the Gram matrix A' A of the columns of A, its upper triangle, in blocks of rows that are summed over the rows
/// of A in parts. Cost: rows(A) columns(A)^2 flops.
pub(crate) fn gram_matrix(a: ArrayView2<f64>, job: &Job) -> Result<UpperTriangle> {
    let (rows, columns) = a.dim();
    let mut gram = UpperTriangle::zeros(columns)?;
    let parts = (16 * GRAM_COLUMNS / columns.max(1)).clamp(1, 16);
    let rows_of_part =
        (GRAM_TASK / (upper_triangle::BLOCK_ROWS * columns.max(1))).clamp(256, rows.div_ceil(parts).max(256));
    for a in a.axis_chunks_iter(Axis(0), rows_of_part * parts) {
        gram.for_each_block(job, |first, mut block| {
            let pieces = a.slice(s![.., first..]);
            let product = |piece: ArrayView2<f64>| {
                let left = piece.slice(s![.., ..block.nrows()]);
                left.t().dot(&piece)
            };
            let pieces = pieces.axis_chunks_iter(Axis(0), rows_of_part).into_par_iter().with_max_len(1);
            for part in &pieces.map(product).collect::<Vec<Array2<f64>>>() {
                block += part;
            }
        })?;
    }
    Ok(gram)
}

/// The number of columns of a basis.
pub(crate) fn width(basis: &[Array2<f64>]) -> usize {
    basis.iter().map(Array2::ncols).sum()
}

/// The blocks of a basis, each with the number of its first column.
fn placed(basis: &[Array2<f64>]) -> impl Iterator<Item = (usize, &Array2<f64>)> {
    basis.iter().scan(0, |at, block| {
        *at += block.ncols();
        Some((*at - block.ncols(), block))
    })
}

/// Computes B' W.
pub(crate) fn inner_products(basis: &[Array2<f64>], w: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
    let shape = (width(basis), w.ncols());
    let parts: Vec<Array2<f64>> = job.parallel(|| {
        let blocks = w.axis_chunks_iter(Axis(0), BLOCK_ROWS).into_par_iter().enumerate();
        let parts = blocks.map(|(i, w)| {
            let rows = i * BLOCK_ROWS..i * BLOCK_ROWS + w.nrows();
            let mut part = Array2::zeros(shape);
            for (at, block) in placed(basis) {
                let (own, mut entries) =
                    (block.slice(s![rows.clone(), ..]), part.slice_mut(s![at..at + block.ncols(), ..]));
                general_mat_mul(1.0, &own.t(), &w, 0.0, &mut entries);
            }
            part
        });
        Ok(parts.collect())
    })?;
    Ok(parts.iter().fold(Array2::zeros(shape), |sum, part| sum + part))
}

/// Adds `factor` B C to W.
fn add_combination(
    w: &mut Array2<f64>,
    factor: f64,
    basis: &[Array2<f64>],
    coefficients: ArrayView2<f64>,
    job: &Job,
) -> Result<()> {
    job.parallel(|| {
        let blocks = w.axis_chunks_iter_mut(Axis(0), BLOCK_ROWS).into_par_iter().enumerate();
        blocks.for_each(|(i, mut w)| {
            let rows = i * BLOCK_ROWS..i * BLOCK_ROWS + w.nrows();
            for (at, block) in placed(basis) {
                let own = coefficients.slice(s![at..at + block.ncols(), ..]);
                general_mat_mul(factor, &block.slice(s![rows.clone(), ..]), &own, 1.0, &mut w);
            }
        });
        Ok(())
    })
}

/// Computes B C, a matrix of `rows` rows.
pub(crate) fn combination(
    basis: &[Array2<f64>],
    coefficients: ArrayView2<f64>,
    rows: usize,
    job: &Job,
) -> Result<Array2<f64>> {
    let mut sum = Array2::zeros((rows, coefficients.ncols()));
    add_combination(&mut sum, 1.0, basis, coefficients, job)?;
    Ok(sum)
}

/// Subtracts from W its projection B B' W onto the span of an orthonormal basis, once. Returns B' W.
pub(crate) fn project_out(basis: &[Array2<f64>], w: &mut Array2<f64>, job: &Job) -> Result<Array2<f64>> {
    let entries = inner_products(basis, w, job)?;
    add_combination(w, -1.0, basis, entries.view(), job)?;
    Ok(entries)
}

/// Calls `change` for each entry of `w` with the number of its column and the entries at the same place in two other
/// matrices, and sums the results over the rows: one sum a column.
pub(crate) fn sums_over_rows(
    w: &mut Array2<f64>,
    one: &Array2<f64>,
    other: &Array2<f64>,
    job: &Job,
    change: impl Fn(usize, &mut f64, f64, f64) -> f64 + Sync,
) -> Result<Vec<f64>> {
    let width = w.ncols();
    let sums: Vec<Vec<f64>> = job.parallel(|| {
        let blocks = w.axis_chunks_iter_mut(Axis(0), BLOCK_ROWS).into_par_iter();
        let others = [one, other].map(|other| other.axis_chunks_iter(Axis(0), BLOCK_ROWS).into_par_iter());
        let [one, other] = others;
        let blocks = blocks.zip(one).zip(other).map(|((mut w, one), other)| {
            let mut sums = vec![0.0; width];
            for ((mut w, one), other) in w.rows_mut().into_iter().zip(one.rows()).zip(other.rows()) {
                for (p, sum) in sums.iter_mut().enumerate() {
                    *sum += change(p, &mut w[p], one[p], other[p]);
                }
            }
            sums
        });
        Ok(blocks.collect())
    })?;
    let mut total = vec![0.0; width];
    for sums in sums {
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use ndarray::concatenate;

    fn block(rows: usize, columns: usize) -> Array2<f64> {
        Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 29 + j * 7) % 53) as f64 / 26.0 - 1.0)
    }

    /// A basis of several blocks, and several blocks of rows.
    #[test]
    fn products_agree_with_those_of_whole_matrices() {
        let n = 2 * BLOCK_ROWS + 17;
        let basis = [block(n, 3), block(n, 1).mapv(f64::exp)];
        let whole = concatenate![Axis(1), basis[0], basis[1]];
        let w = block(n, 5).mapv(f64::sin);
        let entries = whole.t().dot(&w);
        let expected = &w - &whole.dot(&entries);
        let work = |job: &Job| {
            let mut rest = w.clone();
            let found = project_out(&basis, &mut rest, job)?;
            Ok((found, rest, combination(&basis, entries.view(), n, job)?))
        };
        let results = [1, 2, 3].map(|threads| parallel::run(threads, || false, work).unwrap());
        assert!(results.iter().all(|result| *result == results[0]));
        let (found, rest, sum) = &results[0];
        approx::assert_relative_eq!(*found, entries, max_relative = 1e-12, epsilon = 1e-9);
        approx::assert_relative_eq!(*rest, expected, max_relative = 1e-12, epsilon = 1e-9);
        approx::assert_relative_eq!(*sum, whole.dot(&entries), max_relative = 1e-12, epsilon = 1e-9);
    }

    /// One block and several, one part and several. Sums of integers are exact, and no sum depends on the threads.
    #[test]
    fn gram_matrix_of_integers_is_exact() {
        for (rows, columns) in [(1, 1), (3, 200), (5000, 3), (9000, 97), (300, 0)] {
            let a = Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 29 + j * 7) % 53) as f64 - 26.0);
            let gram =
                |a: ArrayView2<f64>, threads| parallel::run(threads, || false, |job| gram_matrix(a, job)).unwrap();
            let (found, expected) = (gram(a.view(), 2), a.t().dot(&a));
            let by_columns = gram(a.t().as_standard_layout().t(), 2);
            for ((i, j), entry) in expected.indexed_iter() {
                assert_eq!([found.get(i, j), by_columns.get(i, j)], [*entry, *entry], "{rows} {columns}: {i} {j}");
            }
            let fractions = a.mapv(f64::sin);
            assert_eq!(gram(fractions.view(), 1).into_matrix(), gram(fractions.view(), 3).into_matrix());
        }
        let stopped = parallel::run(
            2,
            || true,
            |job| loop {
                gram_matrix(block(100, 9).view(), job)?;
            },
        );
        assert_eq!(stopped.map(|(): ()| ()), Err(crate::error::Error::Interrupted));
    }

    #[test]
    fn entries_are_changed_and_summed() {
        let n = BLOCK_ROWS + 5;
        let (mut w, one, other) = (block(n, 2), block(n, 2).mapv(f64::cos), Array2::from_elem((n, 2), 2.0));
        let expected = &w + &(&one * 3.0);
        let work = |job: &Job| {
            sums_over_rows(&mut w, &one, &other, job, |_, w, one, other| {
                *w += 3.0 * one;
                *w * other
            })
        };
        let sums = parallel::run(2, || false, work).unwrap();
        assert_eq!(w, expected);
        approx::assert_relative_eq!(sums[1], 2.0 * expected.column(1).sum(), max_relative = 1e-12, epsilon = 1e-9);
    }
}
