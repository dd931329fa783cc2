//! The Hessenberg form of a general matrix.
//!
//! Blocks of Householder reflections, Q = I - V T V' of a panel of columns:
//!
//! ```text
//! Q' A Q = (I - V T' V') (A - Y V'),  Y = A V T
//! ```
//!
//! (Dongarra, Hammarling & Sorensen, "Block reduction of matrices to condensed forms for eigenvalue computations", J.
//! Comput. Appl. Math. 27, 1989, doi:10.1016/0377-0427(89)90367-1). Cost: 10/3 n^3 flops, a fifth of them in products of
//! the matrix with a vector.
//!
//! LAPACK's `dgehrd` rounds differently with another number of BLAS threads, which is visible in the eigenvalues of a
//! graph that is not symmetric. Here the work is cut into pieces that depend on the size of the matrix alone, each with
//! one BLAS thread.

use ndarray::linalg::{general_mat_mul, general_mat_vec_mul};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, ShapeBuilder, Zip, s};
use rayon::prelude::*;

use crate::error::Result;
use crate::linalg::scaling::{max_abs, times_power_of_two};
use crate::runtime::parallel::Job;

/// Columns of a panel. Another number changes the rounding.
const PANEL: usize = 32;
/// Rows, or columns, of one piece of work. Another size changes the rounding.
const PIECE: usize = 64;
/// Vectors below this are scaled: the norm of one near the subnormal numbers is rounded to few bits, and the reflection
/// that is made of it is not orthogonal, whatever the size of the matrix.
const SMALL: f64 = f64::MIN_POSITIVE / f64::EPSILON;
/// The exponent of the power of two that takes every number below [`SMALL`] to a normal one.
const SMALL_EXPONENT: i32 = 600;

/// Overwrites a matrix in column-major order with its Hessenberg form, which has the same eigenvalues. It is called
/// inside [`Job::parallel`].
pub(super) fn reduce_to_hessenberg(mut a: ArrayViewMut2<f64>, job: &Job) -> Result<()> {
    let n = a.nrows();
    let mut v = Array2::zeros((n, PANEL).f());
    let mut y = Array2::zeros((n, PANEL).f());
    let mut t = Array2::zeros((PANEL, PANEL).f());
    for first in (0..n.saturating_sub(2)).step_by(PANEL) {
        job.check()?;
        let width = PANEL.min(n - 2 - first);
        // Above `below` the reflections of this panel act from the right only.
        let below = first + 1;
        let mut v = v.slice_mut(s![below.., ..width]);
        let mut y = y.slice_mut(s![.., ..width]);
        let mut t = t.slice_mut(s![..width, ..width]);
        v.fill(0.0);
        t.fill(0.0);
        let (mut y_above, mut y_below) = y.multi_slice_mut((s![..below, ..], s![below.., ..]));
        reduce_panel(a.slice_mut(s![below.., first..]), v.view_mut(), y_below.view_mut(), t.view_mut());
        times_reflections(a.slice(s![..below, below..]), v.view(), t.view(), y_above.view_mut());
        apply(a.slice_mut(s![.., below..]), v.view(), t.view(), y.view(), below, width - 1);
    }
    Ok(())
}

/// Finds the reflections of a panel. `a` has the rows that they act on, from the panel's first column on. Only the
/// panel's columns of it are changed.
fn reduce_panel(
    mut a: ArrayViewMut2<f64>,
    mut v: ArrayViewMut2<f64>,
    mut y: ArrayViewMut2<f64>,
    mut t: ArrayViewMut2<f64>,
) {
    let mut inner = Array1::zeros(PANEL);
    let mut row = Array1::zeros(PANEL);
    for j in 0..t.ncols() {
        let (v_before, mut v_new) = v.multi_slice_mut((s![.., ..j], s![.., j]));
        let (y_before, mut y_new) = y.multi_slice_mut((s![.., ..j], s![.., j]));
        let mut t_column = t.column_mut(j).to_owned();
        let t_before = t.slice(s![..j, ..j]);
        let mut inner = inner.slice_mut(s![..j]);
        let mut column = a.column_mut(j);
        if j > 0 {
            // The reflections so far, from the right and from the left.
            row.slice_mut(s![..j]).assign(&v_before.row(j - 1));
            general_mat_vec_mul(-1.0, &y_before, &row.slice(s![..j]), 1.0, &mut column);
            general_mat_vec_mul(1.0, &v_before.t(), &column, 0.0, &mut inner);
            let turned = t_before.t().dot(&inner);
            general_mat_vec_mul(-1.0, &v_before, &turned, 1.0, &mut column);
        }
        let tau = reflection(column.slice_mut(s![j..]), v_new.slice_mut(s![j..]));
        if tau == 0.0 {
            y_new.fill(0.0);
            continue; // nothing to eliminate: column j of T stays zero
        }
        let vector = v_new.slice(s![j..]);
        times_vector(tau, a.slice(s![.., j + 1..]), vector, y_new.view_mut());
        if j > 0 {
            general_mat_vec_mul(1.0, &v_before.slice(s![j.., ..]).t(), &vector, 0.0, &mut inner);
            general_mat_vec_mul(-tau, &y_before, &inner, 1.0, &mut y_new);
            general_mat_vec_mul(-tau, &t_before, &inner, 0.0, &mut t_column.slice_mut(s![..j]));
        }
        t_column[j] = tau;
        t.column_mut(j).assign(&t_column);
    }
}

/// Takes `x` to a multiple of the first unit vector by a reflection `I - tau v v'` with `v[0] = 1`. Returns tau, which is
/// 0 where the other entries are zero.
fn reflection(mut x: ArrayViewMut1<f64>, v: ArrayViewMut1<f64>) -> f64 {
    if max_abs([x.view()]) >= SMALL {
        return reflection_of_normal(x, v);
    }
    x.mapv_inplace(|entry| times_power_of_two(entry, SMALL_EXPONENT));
    let tau = reflection_of_normal(x.view_mut(), v);
    x[0] = times_power_of_two(x[0], -SMALL_EXPONENT);
    tau
}

/// Finds a reflection as [`reflection`] does, of a vector whose norm is a normal number by far.
fn reflection_of_normal(mut x: ArrayViewMut1<f64>, mut v: ArrayViewMut1<f64>) -> f64 {
    let alpha = x[0];
    // The norm of the other entries is computed from scaled ones, so that no square over- or underflows.
    let largest = max_abs([x.slice(s![1..])]);
    if largest == 0.0 {
        return 0.0;
    }
    let rest = largest * x.iter().skip(1).map(|e| (e / largest).powi(2)).sum::<f64>().sqrt();
    let beta = -alpha.hypot(rest).copysign(alpha);
    Zip::from(&mut v).and(&x).for_each(|v, &e| *v = e / (alpha - beta));
    v[0] = 1.0;
    x.fill(0.0);
    x[0] = beta;
    (beta - alpha) / beta
}

/// Computes `y = factor a x`.
fn times_vector(factor: f64, a: ArrayView2<f64>, x: ArrayView1<f64>, mut y: ArrayViewMut1<f64>) {
    y.axis_chunks_iter_mut(Axis(0), PIECE)
        .into_par_iter()
        .zip(a.axis_chunks_iter(Axis(0), PIECE))
        .for_each(|(mut y, a)| general_mat_vec_mul(factor, &a, &x, 0.0, &mut y));
}

/// Computes `y = a v t`.
fn times_reflections(a: ArrayView2<f64>, v: ArrayView2<f64>, t: ArrayView2<f64>, mut y: ArrayViewMut2<f64>) {
    y.axis_chunks_iter_mut(Axis(0), PIECE).into_par_iter().zip(a.axis_chunks_iter(Axis(0), PIECE)).for_each(
        |(mut y, a)| {
            let product = a.dot(&v);
            general_mat_mul(1.0, &product, &t, 0.0, &mut y);
        },
    );
}

/// Replaces `a`, the columns that the reflections act on, by `Q' a Q`. The first `done` columns have it already in the
/// rows from `below` on.
fn apply(
    mut a: ArrayViewMut2<f64>,
    v: ArrayView2<f64>,
    t: ArrayView2<f64>,
    y: ArrayView2<f64>,
    below: usize,
    done: usize,
) {
    let (y_above, y_below) = y.split_at(Axis(0), below);
    let (finished, rest) = a.view_mut().split_at(Axis(1), done);
    let (mut finished, _) = finished.split_at(Axis(0), below);
    general_mat_mul(-1.0, &y_above, &v.slice(s![..done, ..]).t(), 1.0, &mut finished);
    let mut rest = rest;
    rest.axis_chunks_iter_mut(Axis(1), PIECE)
        .into_par_iter()
        .zip(v.slice(s![done.., ..]).axis_chunks_iter(Axis(0), PIECE))
        .for_each(|(columns, v_rows)| {
            let (mut above, mut columns) = columns.split_at(Axis(0), below);
            general_mat_mul(-1.0, &y_above, &v_rows.t(), 1.0, &mut above);
            general_mat_mul(-1.0, &y_below, &v_rows.t(), 1.0, &mut columns);
            let inner = t.t().dot(&v.t().dot(&columns));
            general_mat_mul(-1.0, &v, &inner, 1.0, &mut columns);
        });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::lapack::hessenberg_eigenvalues;
    use crate::runtime::parallel;
    use crate::runtime::test_size::sized;
    use ndarray_linalg::{EigVals, c64};
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    fn hessenberg_form(matrix: &Array2<f64>, threads: usize) -> Array2<f64> {
        let mut columns = Array2::zeros(matrix.raw_dim().f());
        columns.assign(matrix);
        let work = |job: &Job| job.parallel(|| reduce_to_hessenberg(columns.view_mut(), job));
        parallel::run(threads, || false, work).unwrap();
        columns
    }

    fn random(n: usize) -> Array2<f64> {
        let mut rng = StdRng::seed_from_u64(n as u64);
        Array2::from_shape_simple_fn((n, n), || rng.random_range(-1.0..1.0))
    }

    fn sorted(mut eigenvalues: Vec<c64>) -> Vec<c64> {
        eigenvalues.sort_by(|a, b| a.re.total_cmp(&b.re).then(a.im.total_cmp(&b.im)));
        eigenvalues
    }

    /// Sizes of at most one panel, near its end, of several panels, and of several pieces.
    #[test]
    fn eigenvalues_are_those_of_the_matrix() {
        for n in [1, 2, 3, 33, 34, 35, 66, sized(150, 100), sized(300, 134)] {
            let matrix = random(n);
            let form = hessenberg_form(&matrix, 2);
            for ((i, j), &entry) in form.indexed_iter() {
                assert!(i <= j + 1 || entry == 0.0, "n = {n}: ({i}, {j})");
            }
            let norm = |a: &Array2<f64>| a.mapv(|e| e * e).sum().sqrt();
            approx::assert_relative_eq!(norm(&form), norm(&matrix), max_relative = 1e-13);
            let expected = sorted(matrix.eigvals().unwrap().to_vec());
            for (value, expected) in sorted(hessenberg_eigenvalues(form).unwrap()).into_iter().zip(expected) {
                assert!((value - expected).norm() < 1e-11, "n = {n}: {value} {expected}");
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_the_number_of_threads() {
        let matrix = random(300);
        let one = hessenberg_form(&matrix, 1);
        for threads in [2, 3, 8] {
            assert_eq!(one, hessenberg_form(&matrix, threads));
        }
    }

    /// A column near the subnormal numbers, in a matrix of norm 1: the reflection of it is orthogonal.
    #[test]
    fn reflections_of_tiny_columns_are_orthogonal() {
        for exponent in [-1022, -1045, -1060, -1073] {
            let tiny = 2f64.powi(-1000) * 2f64.powi(exponent + 1000);
            let mut column = Array1::from(vec![3.0 * tiny, 4.0 * tiny, 5.0 * tiny]);
            let mut v = Array1::zeros(3);
            let tau = reflection(column.view_mut(), v.view_mut());
            approx::assert_relative_eq!(tau * v.dot(&v), 2.0, max_relative = 8.0 * f64::EPSILON);
            assert_eq!((column[1], column[2]), (0.0, 0.0));
        }
    }

    /// Columns with nothing to eliminate, alone and between others, and entries near both ends of the exponent range.
    #[test]
    fn hessenberg_matrix_stays_and_no_scale_is_lost() {
        let mut matrix = random(100);
        for ((i, j), entry) in matrix.indexed_iter_mut() {
            if i > j + 1 {
                *entry = 0.0;
            }
        }
        assert_eq!(hessenberg_form(&matrix, 2), matrix);
        matrix[[99, 70]] = 0.5;
        let form = hessenberg_form(&matrix, 2);
        for scale in [2.0_f64.powi(-900), 2.0_f64.powi(900)] {
            let scaled = hessenberg_form(&(&matrix * scale), 2) / scale;
            approx::assert_abs_diff_eq!(scaled, form, epsilon = 1e-12);
        }
    }
}
