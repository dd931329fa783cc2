//! Scaling by powers of two, which rounds nothing, and the largest magnitude, from which the power follows.

use ndarray::ArrayView1;

use crate::linalg::scalar::Element;

/// The bias of the exponent of 2 in the bits of a number.
const BIAS: i32 = 1023;
/// Bits of a number below its exponent.
const MANTISSA_BITS: u32 = 52;

/// The largest magnitude of all entries of some vectors, such as the rows of a matrix: 0 where there are none, NaN
/// where one of them is NaN.
pub(crate) fn max_abs<'a, T: Element + 'a>(vectors: impl IntoIterator<Item = ArrayView1<'a, T>>) -> f64 {
    const LANES: usize = 8;
    // The bits of magnitudes, read as integers, are in the order of the magnitudes, and those of NaN above infinity.
    let mut lanes = [0; LANES];
    let magnitude = |&entry: &T| entry.into().abs().to_bits();
    for vector in vectors {
        let Some(entries) = vector.to_slice() else {
            lanes[0] = vector.iter().map(magnitude).fold(lanes[0], u64::max);
            continue;
        };
        let (chunks, rest) = entries.as_chunks::<LANES>();
        for entries in chunks.iter().map(<[T; LANES]>::as_slice).chain([rest]) {
            for (lane, entry) in lanes.iter_mut().zip(entries) {
                *lane = magnitude(entry).max(*lane);
            }
        }
    }
    f64::from_bits(lanes.into_iter().fold(0, u64::max))
}

/// A power of two that takes a number of magnitude `largest` to [1, 4). Subnormal numbers stay below 1.
pub(crate) fn scale_to_one(largest: f64) -> f64 {
    power_of_two(-binary_exponent(largest).min(1022)) // a normal number
}

/// Two factors whose product is 2^exponent. Both are normal numbers where the product is not.
pub(crate) fn halves(exponent: i32) -> (f64, f64) {
    let half = exponent / 2;
    (2f64.powi(half), 2f64.powi(exponent - half))
}

/// x times 2^exponent. It is rounded only where the result is subnormal, and infinite only where that is too large.
pub(crate) fn times_power_of_two(x: f64, exponent: i32) -> f64 {
    // 2^3000 takes every number to 0 or infinity, and a third of that exponent is the exponent of a normal number.
    let exponent = exponent.clamp(-3000, 3000);
    let third = exponent / 3;
    x * normal_power_of_two(third) * normal_power_of_two(third) * normal_power_of_two(exponent - 2 * third)
}

/// 2^exponent for the exponents of normal numbers, -1022 to 1023.
fn normal_power_of_two(exponent: i32) -> f64 {
    let biased = u64::try_from(exponent + BIAS).expect("the exponent of a normal number is above -1023");
    f64::from_bits(biased << MANTISSA_BITS)
}

/// 2^exponent, which may be subnormal, 0 or infinite.
pub(crate) fn power_of_two(exponent: i32) -> f64 {
    let (half, rest) = halves(exponent);
    half * rest
}

/// The largest power of two that is at most `x`, and at least 2^-1022.
pub(crate) fn power_of_two_near(x: f64) -> f64 {
    power_of_two(binary_exponent(x))
}

/// The exponent of the largest power of two that is at most `x`. For 0 and subnormal numbers it is -1022.
pub(crate) fn binary_exponent(x: f64) -> i32 {
    let biased = (x.to_bits() >> MANTISSA_BITS) & 0x7ff;
    i32::try_from(biased).expect("eleven bits fit into an i32").max(1) - BIAS
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn binary_exponents() {
        assert_eq!([1.0, 1.9, 2.0, 0.5, 3e-308, 1e308].map(binary_exponent), [0, 0, 1, -1, -1022, 1023]);
        assert_eq!([0.0, 5e-324].map(binary_exponent), [-1022, -1022]);
    }

    #[test]
    fn products_with_powers_of_two_do_not_overflow_on_the_way() {
        assert_eq!(times_power_of_two(3.0, 4), 48.0);
        assert_eq!(times_power_of_two(-5e-324, 2097), -2f64.powi(1023));
        assert_eq!(times_power_of_two(2f64.powi(1023), -2097), 5e-324);
        assert_eq!(times_power_of_two(f64::MIN_POSITIVE, -52), 5e-324);
        assert_eq!(times_power_of_two(1.0, 1024), f64::INFINITY);
        assert_eq!(times_power_of_two(f64::MAX, i32::MIN), 0.0);
        assert_eq!(times_power_of_two(0.0, i32::MAX), 0.0);
    }

    #[test]
    fn max_abs_finds_an_entry_in_every_place() {
        for place in 0..60 {
            let mut matrix = Array2::from_elem((3, 20), -1.0_f32);
            matrix[[place / 20, place % 20]] = -2.5;
            assert_eq!(max_abs(matrix.rows()), 2.5);
            assert_eq!(max_abs(matrix.columns()), 2.5);
            matrix[[place / 20, place % 20]] = f32::NAN;
            assert!(max_abs(matrix.rows()).is_nan());
        }
        assert_eq!(max_abs::<f64>([]), 0.0);
    }

    #[test]
    fn largest_entries_are_scaled_near_one() {
        for largest in [f64::MIN_POSITIVE, 1e-200, 0.9, 1.0, 7.0, f64::MAX] {
            assert!((1.0..4.0).contains(&(largest * scale_to_one(largest))));
        }
        for exponent in -1022..1024 {
            let largest = power_of_two(exponent);
            let scaled = largest * scale_to_one(largest);
            assert!(scaled == 1.0 || (exponent == 1023 && scaled == 2.0));
        }
    }
}
