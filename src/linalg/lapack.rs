//! LAPACK's routines that ndarray-linalg does not offer.
#![allow(unsafe_code)]

use std::ffi::c_char;

use lapack_sys::dhseqr_;
use ndarray::Array2;
use ndarray_linalg::c64;

use crate::error::{Error, Result};

static EIGENVALUES_ONLY: c_char = b'E'.cast_signed();
static NO_VECTORS: c_char = b'N'.cast_signed();
static ONE: i32 = 1;

/// The eigenvalues of a matrix in Hessenberg form, its columns one after the other. The matrix is overwritten.
pub(super) fn hessenberg_eigenvalues(mut h: Array2<f64>) -> Result<Vec<c64>> {
    assert!(!h.is_empty() && h.is_square() && h.t().is_standard_layout());
    let n = size(h.nrows())?;
    let mut re = vec![0.0; h.nrows()];
    let mut im = vec![0.0; h.nrows()];
    let mut dhseqr = |work: &mut [f64], work_size: i32| {
        let mut info = 0;
        // SAFETY: `h` has n columns of n entries, `re` and `im` have n; `work` has as many as are said, or one, for the
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
    };
    let mut best = [0.0];
    dhseqr(&mut best, -1)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size, given as a float")]
    let mut work = vec![0.0; best[0] as usize];
    let work_size = size(work.len())?;
    dhseqr(&mut work, work_size)?;
    Ok(re.into_iter().zip(im).map(|(re, im)| c64::new(re, im)).collect())
}

fn size(n: usize) -> Result<i32> {
    i32::try_from(n).map_err(|_| Error::Lapack(format!("{n} is more than its integers hold")))
}

fn succeeded(routine: &str, info: i32) -> Result<()> {
    if info == 0 { Ok(()) } else { Err(Error::Lapack(format!("{routine}: info = {info}"))) }
}
