//! Loops over slices, compiled for several instruction sets.
//!
//! The widest set that the processor has is chosen at run time. The loops have no fused operations, so all sets give the
//! same bits.

use multiversion::multiversion;

/// The argument below which the exponential is taken as 0: exp(-708) is just above the smallest normal
/// number, 2^-1022.
const CUTOFF: f64 = -708.0;

/// Replaces each x, which is not negative, by `exp(-rate x)`: the exponential of the rounded product, with a relative
/// error below 4e-16, and 0 below 3.3e-308.
#[allow(unsafe_code, reason = "the macro calls the version that it has found the processor to support")]
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn negative_exponentials(values: &mut [f64], rate: f64) {
    for value in values {
        *value = exponential(-*value * rate);
    }
}

/// Replaces each x by `exp(-x own other)` with the other rate of its column, as precisely as
/// [`negative_exponentials`] does.
#[allow(unsafe_code, reason = "the macro calls the version that it has found the processor to support")]
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn negative_exponentials_of_products(values: &mut [f64], own: f64, others: &[f64]) {
    for (value, other) in values.iter_mut().zip(others) {
        *value = exponential(-*value * (own * other));
    }
}

/// Computes exp x = 2^n exp r with |r| <= ln 2 / 2, after Cody & Waite, "Software manual for the elementary functions"
/// (1980), with the Taylor series of exp r.
#[inline(always)]
fn exponential(x: f64) -> f64 {
    // Adding it moves the integer part into the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
    // ln 2 in two parts, the first of 32 bits, so that n times it is exact.
    const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const INVERSE_FACTORIALS: [f64; 14] = [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let bounded = x.max(CUTOFF);
    let rounded = bounded * std::f64::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (bounded - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut series = INVERSE_FACTORIALS[0];
    for coefficient in &INVERSE_FACTORIALS[1..] {
        series = series * r + coefficient;
    }
    let two_to_n = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1023 << 52));
    if x < CUTOFF { 0.0 } else { series * two_to_n }
}

/// Replaces each x by `exp(-(own + other - x))`, at most 1, with the other number of its column. The relative error is
/// below 2e-7, without the rounding of the argument, and results below 2e-38 are 0.
#[allow(unsafe_code, reason = "the macro calls the version that it has found the processor to support")]
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn negative_exponentials_single(values: &mut [f32], own: f32, others: &[f32]) {
    for (value, other) in values.iter_mut().zip(others) {
        *value = exponential_single((*value - (own + other)).min(0.0));
    }
}

/// Computes exp x in single precision by the algorithm of [`exponential`].
#[inline(always)]
fn exponential_single(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23
    const CUTOFF: f32 = -87.0;
    // ln 2 in two parts, the first of 15 bits, so that n times it is exact.
    const LN_2_HIGH: f32 = 0.693_145_75;
    const LN_2_LOW: f32 = 1.428_606_8e-6;
    const INVERSE_FACTORIALS: [f32; 8] =
        [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let bounded = x.max(CUTOFF);
    let rounded = bounded * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (bounded - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut series = INVERSE_FACTORIALS[0];
    for coefficient in &INVERSE_FACTORIALS[1..] {
        series = series * r + coefficient;
    }
    let two_to_n = f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23));
    if x < CUTOFF { 0.0 } else { series * two_to_n }
}

/// Adds `own + other` to each entry, with the other number of its column. Returns whether one of the sums is below
/// `part` of `own + other`.
#[allow(unsafe_code, reason = "the macro calls the version that it has found the processor to support")]
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn add_norms(entries: &mut [f64], own: f64, others: &[f64], part: f64) -> bool {
    let mut small = 0;
    for (entry, other) in entries.iter_mut().zip(others) {
        let norms = own + other;
        *entry += norms;
        small += u64::from(*entry < part * norms);
    }
    small > 0
}

/// Adds `own + other` to each entry in single precision, with the other number of its column.
#[allow(unsafe_code, reason = "the macro calls the version that it has found the processor to support")]
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn add_norms_single(entries: &mut [f32], own: f32, others: &[f32]) {
    for (entry, other) in entries.iter_mut().zip(others) {
        *entry += own + other;
    }
}

/// Finds the first place from `start` on whose entry is at most `own` or at most the other bound of its column. Returns
/// the length where there is none.
#[allow(unsafe_code, reason = "the macro calls the version that it has found the processor to support")]
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn next_at_most(entries: &[f32], own: f32, others: &[f32], start: usize) -> usize {
    const LANES: usize = 64;
    let rest = entries.get(start..).unwrap_or(&[]);
    let others = others.get(start..).unwrap_or(&[]);
    let mut at = start;
    for (lanes, others) in rest.chunks(LANES).zip(others.chunks(LANES)) {
        let hit = |(&entry, &other): (&f32, &f32)| entry <= own || entry <= other;
        let hits: u32 = lanes.iter().zip(others).map(|both| u32::from(hit(both))).sum();
        if hits > 0 {
            return at + lanes.iter().zip(others).position(hit).unwrap_or(0);
        }
        at += lanes.len();
    }
    entries.len()
}

/// The sum of the squares of a row.
#[allow(unsafe_code, reason = "the macro calls the version that it has found the processor to support")]
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn sum_of_squares(x: &[f64]) -> f64 {
    sum_in_lanes(x, x, |a, _| a * a)
}

/// The sum of the squared differences of two rows.
#[allow(unsafe_code, reason = "the macro calls the version that it has found the processor to support")]
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn sum_of_squared_differences(x: &[f64], y: &[f64]) -> f64 {
    sum_in_lanes(x, y, |a, b| (a - b) * (a - b))
}

/// Sums `term` over pairs of entries, in eight partial sums that a vector holds.
#[inline(always)]
fn sum_in_lanes(x: &[f64], y: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    const LANES: usize = 8;
    let (x_lanes, x_rest) = x.as_chunks::<LANES>();
    let (y_lanes, y_rest) = y.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in x_lanes.iter().zip(y_lanes) {
        for lane in 0..LANES {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(&a, &b)| term(a, b)).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_agree_with_the_standard_library() {
        let x: Vec<f64> = (0..200_000).map(|i| f64::from(i) * 3.7e-3).collect();
        for rate in [1.0, 0.3, 1e-9, 7e250] {
            let mut values = x.clone();
            negative_exponentials(&mut values, rate);
            for (value, x) in values.into_iter().zip(&x) {
                let expected = (-x * rate).exp();
                if expected < 1e-300 {
                    assert!((0.0..1e-300).contains(&value), "{x} {rate}");
                } else {
                    approx::assert_relative_eq!(value, expected, max_relative = 4e-16);
                }
            }
        }
        let mut ends = [0.0, f64::MIN_POSITIVE, 707.9, 708.1, 1e300, f64::INFINITY];
        negative_exponentials(&mut ends, 1.0);
        assert_eq!([ends[0], ends[1], ends[3], ends[4], ends[5]], [1.0, 1.0, 0.0, 0.0, 0.0]);
        assert!(ends[2] > 0.0);
    }

    #[test]
    fn small_sums_are_reported() {
        let mut entries = [-2.0, 0.0, -5.0];
        assert!(!add_norms(&mut entries, 1.0, &[4.0, 0.5, 9.0], 0.25));
        assert_eq!(entries, [3.0, 1.5, 5.0]);
        assert!(add_norms(&mut [0.0, -1.0], 1.0, &[1.0, 0.1], 0.25));
    }

    #[test]
    fn next_is_found_in_every_place() {
        let mut entries = vec![1.0_f32; 200];
        for at in [0, 1, 63, 64, 130, 199] {
            entries[at] = 0.5;
        }
        let found = |own: f32, others: &[f32]| {
            let mut found = vec![next_at_most(&entries, own, others, 0)];
            while let Some(&at) = found.last().filter(|&&at| at < entries.len()) {
                found.push(next_at_most(&entries, own, others, at + 1));
            }
            found
        };
        let mut others = vec![f32::NEG_INFINITY; 200];
        assert_eq!(found(0.5, &others), [0, 1, 63, 64, 130, 199, 200]);
        assert_eq!(found(0.4, &others), [200]);
        others[64] = 0.5;
        others[65] = 0.5;
        others[198] = 1.0;
        assert_eq!(found(0.4, &others), [64, 198, 200]);
        assert_eq!(found(0.5, &others), [0, 1, 63, 64, 130, 198, 199, 200]);
    }
}
