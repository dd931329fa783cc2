//! LAPACK's routines that ndarray-linalg does not offer.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};

use lapack_sys::{dhseqr_, dsterf_, ssterf_};
use ndarray::Array2;
use ndarray_linalg::{Scalar, c64};

use crate::error::{Error, Result};

static EIGENVALUES_ONLY: c_char = b'E'.cast_signed();
static NO_VECTORS: c_char = b'N'.cast_signed();
static LOWER: c_char = b'L'.cast_signed();
static AFTER_STAGE_ONE: c_char = b'Y'.cast_signed();
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

/// A symmetric matrix as LAPACK's two stages take it, in either precision.
pub trait TwoStage: Sized {
    /// Reduces the matrix whose rows stand one after the other, and whose upper triangle counts, to a band of `width`
    /// diagonals beside the main one. The matrix is overwritten.
    fn symmetric_to_band(matrix: Array2<Self>, width: usize) -> Result<Array2<Self>>;

    /// Reduces the band, a row of which holds the entries of one column, to a diagonal and the one beside it.
    fn band_to_tridiagonal(band: Array2<Self>) -> Result<(Vec<Self>, Vec<Self>)>;

    /// The eigenvalues of a tridiagonal matrix, ascending.
    fn tridiagonal_eigenvalues(diagonal: Vec<Self>, beside: Vec<Self>) -> Result<Vec<Self>>;
}

macro_rules! two_stage {
    ($real:ty, $sy2sb:ident, $sb2st:ident, $sterf:ident) => {
        // lapack-sys does not have them.
        unsafe extern "C" {
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
            fn $sb2st(
                stage1: *const c_char,
                vect: *const c_char,
                uplo: *const c_char,
                n: *const c_int,
                kd: *const c_int,
                ab: *mut $real,
                ldab: *const c_int,
                d: *mut $real,
                e: *mut $real,
                hous: *mut $real,
                lhous: *const c_int,
                work: *mut $real,
                lwork: *const c_int,
                info: *mut c_int,
            );
        }

        impl TwoStage for $real {
            fn symmetric_to_band(mut matrix: Array2<Self>, width: usize) -> Result<Array2<Self>> {
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

            fn band_to_tridiagonal(mut band: Array2<Self>) -> Result<(Vec<Self>, Vec<Self>)> {
                assert!(band.is_standard_layout() && (2..=band.nrows()).contains(&band.ncols()));
                let (n, kd, ldab) = (size(band.nrows())?, size(band.ncols() - 1)?, size(band.ncols())?);
                let mut diagonal = vec![0.0; band.nrows()];
                let mut beside = vec![0.0; band.nrows() - 1];
                let mut call = |hous: &mut [Self], hous_size: i32, work: &mut [Self], work_size: i32| {
                    let mut info = 0;
                    // SAFETY: the band has n columns of kd + 1 entries, the diagonals n and n - 1; `hous` and `work`
                    // as many as are said, or one each for the answer to the question (-1) how many there should be.
                    unsafe {
                        $sb2st(
                            &raw const AFTER_STAGE_ONE,
                            &raw const NO_VECTORS,
                            &raw const LOWER,
                            &raw const n,
                            &raw const kd,
                            band.as_mut_ptr(),
                            &raw const ldab,
                            diagonal.as_mut_ptr(),
                            beside.as_mut_ptr(),
                            hous.as_mut_ptr(),
                            &raw const hous_size,
                            work.as_mut_ptr(),
                            &raw const work_size,
                            &raw mut info,
                        );
                    }
                    succeeded(stringify!($sb2st), info)
                };
                let (mut hous, mut work) = ([0.0], [0.0]);
                call(&mut hous, -1, &mut work, -1)?;
                let (mut hous, mut work) = (vec![0.0; count(hous[0])], vec![0.0; count(work[0])]);
                let (hous_size, work_size) = (size(hous.len())?, size(work.len())?);
                call(&mut hous, hous_size, &mut work, work_size)?;
                Ok((diagonal, beside))
            }

            fn tridiagonal_eigenvalues(mut diagonal: Vec<Self>, mut beside: Vec<Self>) -> Result<Vec<Self>> {
                assert!(beside.len() + 1 == diagonal.len());
                let n = size(diagonal.len())?;
                let mut info = 0;
                // SAFETY: n and n - 1 entries.
                unsafe { $sterf(&raw const n, diagonal.as_mut_ptr(), beside.as_mut_ptr(), &raw mut info) };
                succeeded(stringify!($sterf), info)?;
                Ok(diagonal)
            }
        }
    };
}
two_stage!(f32, ssytrd_sy2sb_, ssytrd_sb2st_, ssterf_);
two_stage!(f64, dsytrd_sy2sb_, dsytrd_sb2st_, dsterf_);

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
