//! Eigenvalues of small general matrices of any finite entries: as many as rows, never NaN, and their sum is the trace.
//!
//! The computed eigenvalues are those of A + E with |E| of a small multiple of N eps |A|, so the sum is off by at most
//! N |E| (Golub & Van Loan, "Matrix Computations", section 7.5).
#![no_main]

use dsentropy::{general_eigenvalues, parallel};
use libfuzzer_sys::fuzz_target;
use ndarray::Array2;

fuzz_target!(|data: &[u8]| {
    let Some((&first, rest)) = data.split_first() else { return };
    let n = 1 + usize::from(first) % 10;
    let mut entries = rest.chunks(8).map(|chunk| {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        let entry = f64::from_le_bytes(bytes);
        if entry.is_finite() { entry } else { f64::from(bytes[0]) }
    });
    let matrix = Array2::from_shape_simple_fn((n, n), || entries.next().unwrap_or(0.0));
    let found = parallel::run(1, || false, |job| general_eigenvalues(matrix.clone(), job));
    let eigenvalues = found.expect("a finite matrix has eigenvalues");
    assert_eq!(eigenvalues.len(), n);
    assert!(!eigenvalues.iter().any(|value| value.re.is_nan() || value.im.is_nan()), "{eigenvalues:?}");
    let scale = matrix.iter().fold(0.0f64, |most, entry| most.max(entry.abs()));
    if scale < 1e-290 || !eigenvalues.iter().all(|value| value.re.is_finite() && value.im.is_finite()) {
        return; // entries of few bits, or beyond the range of f64, as documented
    }
    let trace = matrix.diag().iter().map(|entry| entry / scale).sum::<f64>();
    let sum = eigenvalues.iter().map(|value| value.re / scale).sum::<f64>();
    let bound = 100.0 * (n * n) as f64 * n as f64 * f64::EPSILON; // |A|_F is at most n in this unit
    assert!((sum - trace).abs() <= bound, "{sum} for {trace}: {eigenvalues:?}");
});
