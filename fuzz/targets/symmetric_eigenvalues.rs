//! Eigenvalues of small symmetric matrices of any finite entries, against their invariants.
//!
//! ```text
//! sum_i lambda_i = tr A,    sum_i lambda_i^2 = |A|_F^2,    #{i: lambda_i < x} = the Sturm count of a tridiagonal A at x
//! ```
//!
//! They are ascending, as many as rows, and never NaN. Each is off by a small multiple of N eps |A| (Weyl), and so are
//! the sums.
#![no_main]

use dsentropy::{EigenvalueTuning, Tuning, parallel, symmetric_eigenvalues};
use libfuzzer_sys::fuzz_target;
use ndarray::Array2;

/// Reduces every matrix that is larger than the band in two stages.
const TWO_STAGES: EigenvalueTuning = EigenvalueTuning { two_stages_from: 0, ..Tuning::MEASURED.eigenvalues_f64 };

/// A matrix of the numbers that any eight bytes are, again and again; only the tridiagonal part where that is asked for.
fn matrix(data: &[u8], n: usize, tridiagonal: bool) -> Array2<f64> {
    let chunks = data.chunks(8).map(|chunk| {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        let entry = f64::from_le_bytes(bytes);
        if entry.is_finite() { entry } else { f64::from(bytes[0]) }
    });
    let entries: Vec<f64> = chunks.chain([0.0]).collect();
    let mut entries = entries.iter().cycle();
    let mut matrix = Array2::zeros((n, n));
    for i in 0..n {
        for j in i..n.min(if tridiagonal { i + 2 } else { n }) {
            let entry = *entries.next().expect("there is one entry at least");
            matrix[[i, j]] = entry;
            matrix[[j, i]] = entry;
        }
    }
    matrix
}

/// The number of eigenvalues below x of a tridiagonal matrix, by the signs of the pivots of A - x I.
fn sturm_count(matrix: &Array2<f64>, x: f64) -> usize {
    let mut pivot = 1.0;
    (0..matrix.nrows())
        .filter(|&i| {
            let above = if i == 0 { 0.0 } else { matrix[[i - 1, i]] };
            pivot = matrix[[i, i]] - x - above * above / pivot;
            if pivot == 0.0 {
                pivot = -f64::MIN_POSITIVE;
            }
            pivot < 0.0
        })
        .count()
}

fuzz_target!(|data: &[u8]| {
    let [size, kind, rest @ ..] = data else { return };
    let (tridiagonal, own) = (kind & 1 == 1, kind & 2 == 2);
    let n = 1 + usize::from(*size) % if own { 100 } else { 30 };
    let matrix = matrix(rest, n, tridiagonal);
    let largest = matrix.iter().fold(0.0f64, |most, entry| most.max(entry.abs()));
    let tuning = if own { Tuning { eigenvalues_f64: TWO_STAGES, ..Tuning::MEASURED } } else { Tuning::MEASURED };
    let found = parallel::run_with(&tuning, 1, || false, |job| symmetric_eigenvalues(matrix.clone(), job));
    let eigenvalues = found.expect("a finite matrix has eigenvalues");
    assert_eq!(eigenvalues.len(), n);
    assert!(eigenvalues.is_sorted(), "{eigenvalues:?}"); // so none is NaN
    if !eigenvalues.iter().all(|eigenvalue| eigenvalue.is_finite()) || largest < 1e-290 {
        return; // beyond the range of f64, as documented, or where entries have few bits
    }
    let scale = largest; // in units of which sums of squares neither over- nor underflow
    let close = |sum: f64, exact: f64, size: f64| {
        assert!((sum - exact).abs() <= size, "{sum} for {exact}, off by more than {size}: {eigenvalues:?}");
    };
    // A constant of 100 for the reduction and the iteration, whose errors grow with N.
    let rounding = 100.0 * n as f64 * f64::EPSILON;
    let norm = matrix.iter().map(|entry| (entry / scale).powi(2)).sum::<f64>().sqrt();
    let trace = matrix.diag().iter().map(|entry| entry / scale).sum::<f64>();
    close(eigenvalues.iter().map(|value| value / scale).sum(), trace, rounding * n as f64 * norm);
    let squares = eigenvalues.iter().map(|value| (value / scale).powi(2)).sum::<f64>();
    close(squares, norm * norm, rounding * n as f64 * norm * norm);
    if tridiagonal {
        let scaled = &matrix / scale;
        for (i, pair) in eigenvalues.windows(2).enumerate() {
            let [low, high] = [pair[0] / scale, pair[1] / scale];
            if high - low > 2.0 * rounding * norm {
                assert_eq!(sturm_count(&scaled, low.midpoint(high)), i + 1, "between {low} and {high}");
            }
        }
    }
});
