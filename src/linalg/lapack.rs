//! LAPACK's routines that ndarray-linalg does not offer.
//!
//! | function                          | LAPACK                           | computes                                     |
//! |:----------------------------------|:---------------------------------|:---------------------------------------------|
//! | [`symmetric_to_tridiagonal`]      | `ssytrd`, `dsytrd`               | a symmetric tridiagonal matrix               |
//! | [`panel_qr`]                      | `sgeqrt3`, `dgeqrt3`             | Q R of a tall matrix, Q = I - V T V'         |
//! | [`hessenberg_eigenvalues`]        | `dhseqr`                         | eigenvalues of a Hessenberg matrix           |
//! | [`small_tridiagonal_eigenvalues`] | `dsterf`                         | eigenvalues of a symmetric tridiagonal matrix |
//!
//! LAPACK reads columns where an array in row-major order has rows, so it sees the transpose. Of a symmetric matrix the
//! upper triangle of the rows is its lower triangle of the columns.
#![allow(unsafe_code, reason = "LAPACK is called through its C interface")]

use std::ffi::{c_char, c_int};

use lapack_sys::{dgeqrt3_, dhseqr_, dsterf_, dsytrd_, sgeqrt3_, ssytrd_};
use ndarray::{Array2, ArrayViewMut2, ShapeBuilder};
use ndarray_linalg::c64;

use crate::error::{Error, Result};
use crate::linalg::scalar::Entry;

static EIGENVALUES_ONLY: c_char = b'E'.cast_signed();
static NO_VECTORS: c_char = b'N'.cast_signed();
static LOWER: c_char = b'L'.cast_signed();
static ONE: c_int = 1;

/// The workspace size with which a routine is asked for the best size.
const ASK_SIZE: c_int = -1;

/// A routine and its name, for errors.
pub struct Routine<F> {
    name: &'static str,
    call: F,
}

/// `?sytrd(uplo, n, A, lda, d, e, tau, work, lwork, info)`.
type ToTridiagonal<A> = unsafe extern "C" fn(
    *const c_char,
    *const c_int,
    *mut A,
    *const c_int,
    *mut A,
    *mut A,
    *mut A,
    *mut A,
    *const c_int,
    *mut c_int,
);

/// `?geqrt3(m, n, A, lda, T, ldt, info)`.
type PanelQr<A> =
    unsafe extern "C" fn(*const c_int, *const c_int, *mut A, *const c_int, *mut A, *const c_int, *mut c_int);

/// The reductions of a matrix in one precision.
pub trait Reductions: Sized {
    /// `?sytrd`.
    const TO_TRIDIAGONAL: Routine<ToTridiagonal<Self>>;
    /// `?geqrt3`.
    const PANEL_QR: Routine<PanelQr<Self>>;
}

impl Reductions for f32 {
    const TO_TRIDIAGONAL: Routine<ToTridiagonal<Self>> = Routine { name: "ssytrd", call: ssytrd_ };
    const PANEL_QR: Routine<PanelQr<Self>> = Routine { name: "sgeqrt3", call: sgeqrt3_ };
}

impl Reductions for f64 {
    const TO_TRIDIAGONAL: Routine<ToTridiagonal<Self>> = Routine { name: "dsytrd", call: dsytrd_ };
    const PANEL_QR: Routine<PanelQr<Self>> = Routine { name: "dgeqrt3", call: dgeqrt3_ };
}

/// Reduces a symmetric matrix, given by the upper triangle of its rows, to tridiagonal form: the diagonal and the
/// off-diagonal.
pub(super) fn symmetric_to_tridiagonal<A: Entry + Reductions>(mut matrix: Array2<A>) -> Result<(Vec<A>, Vec<A>)> {
    assert!(matrix.is_square() && matrix.is_standard_layout() && !matrix.is_empty());
    let n = size(matrix.nrows())?;
    let mut diagonal = vec![A::zero(); matrix.nrows()];
    let mut off_diagonal = vec![A::zero(); matrix.nrows() - 1];
    let mut tau = vec![A::zero(); matrix.nrows() - 1];
    with_workspace(|work: &mut [A], work_size| {
        let mut info = 0;
        // SAFETY: the matrix has n columns of n entries, the diagonal n entries, the off-diagonal and tau n - 1. `work`
        // has `work_size` entries, or one where `work_size` asks for the best size.
        unsafe {
            (A::TO_TRIDIAGONAL.call)(
                &raw const LOWER,
                &raw const n,
                matrix.as_mut_ptr(),
                &raw const n,
                diagonal.as_mut_ptr(),
                off_diagonal.as_mut_ptr(),
                tau.as_mut_ptr(),
                work.as_mut_ptr(),
                &raw const work_size,
                &raw mut info,
            );
        }
        require_success(A::TO_TRIDIAGONAL.name, info)
    })?;
    Ok((diagonal, off_diagonal))
}

/// Factors a panel, whose columns are the rows of the array, into Q R. The columns are at least as long as there are of
/// them. R and V replace the panel; the result is T of Q = I - V T V'.
pub(super) fn panel_qr<A: Entry + Reductions>(mut panel: ArrayViewMut2<A>) -> Result<Array2<A>> {
    let (columns, rows) = panel.dim();
    // The stride of an axis of one entry may be any number.
    let stride = if columns > 1 { usize::try_from(panel.strides()[0]).unwrap_or(0) } else { rows };
    assert!((1..=rows).contains(&columns) && (rows == 1 || panel.strides()[1] == 1) && stride >= rows);
    let (m, n, lda) = (size(rows)?, size(columns)?, size(stride)?);
    let mut t = Array2::zeros((columns, columns).f());
    let mut info = 0;
    // SAFETY: the panel has n columns of m entries, `lda` apart, and T has n columns of n.
    unsafe {
        (A::PANEL_QR.call)(
            &raw const m,
            &raw const n,
            panel.as_mut_ptr(),
            &raw const lda,
            t.as_mut_ptr(),
            &raw const n,
            &raw mut info,
        );
    }
    require_success(A::PANEL_QR.name, info)?;
    Ok(t)
}

/// The eigenvalues of a matrix in Hessenberg form and column-major order. The matrix is overwritten.
pub(super) fn hessenberg_eigenvalues(mut h: Array2<f64>) -> Result<Vec<c64>> {
    assert!(!h.is_empty() && h.is_square() && h.t().is_standard_layout());
    let n = size(h.nrows())?;
    let mut re = vec![0.0; h.nrows()];
    let mut im = vec![0.0; h.nrows()];
    with_workspace(|work: &mut [f64], work_size| {
        let mut info = 0;
        // SAFETY: `h` has n columns of n entries, `re` and `im` have n entries. Z is not read where compz = 'N'. `work`
        // has `work_size` entries, or one where `work_size` asks for the best size.
        unsafe {
            dhseqr_(
                &raw const EIGENVALUES_ONLY,
                &raw const NO_VECTORS,
                &raw const n,
                &raw const ONE,
                &raw const n,
                h.as_mut_ptr(),
                &raw const n,
                re.as_mut_ptr(),
                im.as_mut_ptr(),
                std::ptr::null_mut(),
                &raw const ONE,
                work.as_mut_ptr(),
                &raw const work_size,
                &raw mut info,
            );
        }
        require_success("dhseqr", info)
    })?;
    Ok(re.into_iter().zip(im).map(|(re, im)| c64::new(re, im)).collect())
}

/// The eigenvalues of a small symmetric tridiagonal matrix, ascending.
pub(super) fn small_tridiagonal_eigenvalues(mut diagonal: Vec<f64>, mut off_diagonal: Vec<f64>) -> Result<Vec<f64>> {
    assert!(off_diagonal.len() + 1 == diagonal.len());
    let n = size(diagonal.len())?;
    let mut info = 0;
    // SAFETY: the diagonal has n entries, the off-diagonal n - 1.
    unsafe { dsterf_(&raw const n, diagonal.as_mut_ptr(), off_diagonal.as_mut_ptr(), &raw mut info) };
    require_success("dsterf", info)?;
    Ok(diagonal)
}

/// Asks a routine for its best workspace size, and calls it with a workspace of that size.
fn with_workspace<A: Entry>(mut call: impl FnMut(&mut [A], c_int) -> Result<()>) -> Result<()> {
    let mut best = [A::zero()];
    call(&mut best, ASK_SIZE)?;
    let mut work = vec![A::zero(); workspace_entries(best[0].into())];
    let work_size = size(work.len())?;
    call(&mut work, work_size)
}

/// The number of entries that LAPACK gave as a floating point number, which in f32 may have been rounded down.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size")]
fn workspace_entries(answer: f64) -> usize {
    (answer * (1.0 + f64::from(f32::EPSILON))).ceil() as usize
}

/// A size as LAPACK's integer.
fn size(n: usize) -> Result<c_int> {
    c_int::try_from(n).map_err(|_| Error::Lapack(format!("{n} does not fit into its 32-bit integers")))
}

/// Fails unless a routine reported success.
fn require_success(routine: &str, info: c_int) -> Result<()> {
    if info == 0 { Ok(()) } else { Err(Error::Lapack(format!("{routine}: info = {info}"))) }
}
