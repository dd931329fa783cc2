//! LAPACK's routines that ndarray-linalg does not offer.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};

use lapack_sys::{dgeqrt3_, dhseqr_, dsterf_, dsytrd_, sgeqrt3_, ssytrd_};
use ndarray::{Array2, ArrayViewMut2, ShapeBuilder};
use ndarray_linalg::{Scalar, c64};

use crate::error::{Error, Result};

static EIGENVALUES_ONLY: c_char = b'E'.cast_signed();
static NO_VECTORS: c_char = b'N'.cast_signed();
static LOWER: c_char = b'L'.cast_signed();
static ONE: i32 = 1;

/// The eigenvalues of a matrix in Hessenberg form, its columns one after the other. The matrix is overwritten.
pub(super) fn hessenberg_eigenvalues(mut h: Array2<f64>) -> Result<Vec<c64>> {
    assert!(!h.is_empty() && h.is_square() && h.t().is_standard_layout());
    let n = size(h.nrows())?;
    let mut re = vec![0.0; h.nrows()];
    let mut im = vec![0.0; h.nrows()];
    with_workspace(|work: &mut [f64], work_size| {
        let mut info = 0;
        // SAFETY: `h` has n columns of n entries, `re` and `im` have n; `work` as many as are said, or one for the
        // answer to the question (-1) how many there should be. There is no Z where compz = 'N'.
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
        succeeded("dhseqr", info)
    })?;
    Ok(re.into_iter().zip(im).map(|(re, im)| c64::new(re, im)).collect())
}

/// The eigenvalues of a small symmetric tridiagonal matrix, ascending.
pub(super) fn small_tridiagonal_eigenvalues(mut diagonal: Vec<f64>, mut beside: Vec<f64>) -> Result<Vec<f64>> {
    assert!(beside.len() + 1 == diagonal.len());
    let n = size(diagonal.len())?;
    let mut info = 0;
    // SAFETY: n and n - 1 entries.
    unsafe { dsterf_(&raw const n, diagonal.as_mut_ptr(), beside.as_mut_ptr(), &raw mut info) };
    succeeded("dsterf", info)?;
    Ok(diagonal)
}

/// The reductions of a symmetric matrix, in either precision. The rows of the matrix stand one after the other, its
/// upper triangle counts, and it is overwritten.
pub trait Reduce: Sized {
    /// To a band of `width` diagonals beside the main one: a row of what comes out holds the entries of one column.
    fn to_band(matrix: Array2<Self>, width: usize) -> Result<Array2<Self>>;

    /// Q R of a panel whose columns stand one after the other, as rows here, at least as long as there are of them. R
    /// and V take its place; T of Q = I - V T V'.
    fn panel_qr(panel: ArrayViewMut2<Self>) -> Result<Array2<Self>>;

    /// To a diagonal and the one beside it.
    fn to_tridiagonal(matrix: Array2<Self>) -> Result<(Vec<Self>, Vec<Self>)>;
}

macro_rules! reduce {
    ($real:ty, $sy2sb:ident, $geqrt3:ident, $sytrd:ident) => {
        unsafe extern "C" {
            // lapack-sys does not have it.
            fn $sy2sb(
                uplo: *const c_char,
                n: *const c_int,
                kd: *const c_int,
                a: *mut $real,
                lda: *const c_int,
                ab: *mut $real,
                ldab: *const c_int,
                tau: *mut $real,
                work: *mut $real,
                lwork: *const c_int,
                info: *mut c_int,
            );
        }

        impl Reduce for $real {
            fn to_band(mut matrix: Array2<Self>, width: usize) -> Result<Array2<Self>> {
                assert!(matrix.is_square() && matrix.is_standard_layout() && (1..matrix.nrows()).contains(&width));
                let (n, kd, ldab) = (size(matrix.nrows())?, size(width)?, size(width + 1)?);
                let mut band = Array2::zeros((matrix.nrows(), width + 1));
                let mut tau = vec![0.0; matrix.nrows() - width];
                with_workspace(|work: &mut [Self], work_size| {
                    let mut info = 0;
                    // SAFETY: the matrix has n columns of n entries, the band n of kd + 1; tau has n - kd; `work` as
                    // many as are said, or one for the answer to the question (-1) how many there should be.
                    unsafe {
                        $sy2sb(
                            &raw const LOWER,
                            &raw const n,
                            &raw const kd,
                            matrix.as_mut_ptr(),
                            &raw const n,
                            band.as_mut_ptr(),
                            &raw const ldab,
                            tau.as_mut_ptr(),
                            work.as_mut_ptr(),
                            &raw const work_size,
                            &raw mut info,
                        );
                    }
                    succeeded(stringify!($sy2sb), info)
                })?;
                Ok(band)
            }

            fn panel_qr(mut panel: ArrayViewMut2<Self>) -> Result<Array2<Self>> {
                let (columns, rows) = panel.dim();
                // The strides of axes of one entry mean nothing.
                let apart = if columns > 1 { usize::try_from(panel.strides()[0]).unwrap_or(0) } else { rows };
                assert!((1..=rows).contains(&columns) && (rows == 1 || panel.strides()[1] == 1) && apart >= rows);
                let (m, n, lda) = (size(rows)?, size(columns)?, size(apart)?);
                let mut t = Array2::zeros((columns, columns).f());
                let mut info = 0;
                // SAFETY: the panel has n columns of m entries, `lda` apart, T n of n.
                unsafe {
                    $geqrt3(
                        &raw const m,
                        &raw const n,
                        panel.as_mut_ptr(),
                        &raw const lda,
                        t.as_mut_ptr(),
                        &raw const n,
                        &raw mut info,
                    );
                }
                succeeded(stringify!($geqrt3), info)?;
                Ok(t)
            }

            fn to_tridiagonal(mut matrix: Array2<Self>) -> Result<(Vec<Self>, Vec<Self>)> {
                assert!(matrix.is_square() && matrix.is_standard_layout() && !matrix.is_empty());
                let n = size(matrix.nrows())?;
                let mut diagonal = vec![0.0; matrix.nrows()];
                let mut beside = vec![0.0; matrix.nrows() - 1];
                let mut tau = vec![0.0; matrix.nrows() - 1];
                with_workspace(|work: &mut [Self], work_size| {
                    let mut info = 0;
                    // SAFETY: the matrix has n columns of n entries, the diagonals n and n - 1, tau n - 1; `work` as
                    // above.
                    unsafe {
                        $sytrd(
                            &raw const LOWER,
                            &raw const n,
                            matrix.as_mut_ptr(),
                            &raw const n,
                            diagonal.as_mut_ptr(),
                            beside.as_mut_ptr(),
                            tau.as_mut_ptr(),
                            work.as_mut_ptr(),
                            &raw const work_size,
                            &raw mut info,
                        );
                    }
                    succeeded(stringify!($sytrd), info)
                })?;
                Ok((diagonal, beside))
            }
        }
    };
}
reduce!(f32, ssytrd_sy2sb_, sgeqrt3_, ssytrd_);
reduce!(f64, dsytrd_sy2sb_, dgeqrt3_, dsytrd_);

/// Asks how much workspace a routine wants, and calls it with that.
fn with_workspace<A: Scalar<Real = A>>(mut call: impl FnMut(&mut [A], i32) -> Result<()>) -> Result<()> {
    let mut best = [A::zero()];
    call(&mut best, -1)?;
    let mut work = vec![A::zero(); count(best[0])];
    let work_size = size(work.len())?;
    call(&mut work, work_size)
}

/// A number of entries, which LAPACK gives as a float: in f32 it may be rounded down.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size")]
fn count<A: Scalar<Real = A>>(answer: A) -> usize {
    let answer = answer.to_f64().unwrap_or(0.0);
    (answer * (1.0 + f64::from(f32::EPSILON))).ceil() as usize
}

fn size(n: usize) -> Result<i32> {
    i32::try_from(n).map_err(|_| Error::Lapack(format!("{n} is more than its integers hold")))
}

fn succeeded(routine: &str, info: i32) -> Result<()> {
    if info == 0 { Ok(()) } else { Err(Error::Lapack(format!("{routine}: info = {info}"))) }
}
