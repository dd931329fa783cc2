//! Scaling by powers of two, which rounds nothing.

/// 2^exponent in two factors, both normal numbers where it may not be.
pub(crate) fn halves(exponent: i32) -> (f64, f64) {
    let half = exponent / 2;
    (2f64.powi(half), 2f64.powi(exponent - half))
}

/// The largest power of two that is at most `x`, and 2^-1022 at least.
pub(crate) fn power_of_two_near(x: f64) -> f64 {
    let (half, rest) = halves(binary_exponent(x));
    half * rest
}

/// The exponent of the largest power of two that is at most `x`; for 0, that of the smallest normal number.
pub(crate) fn binary_exponent(x: f64) -> i32 {
    const BIAS: i32 = 1023;
    let biased = (x.to_bits() >> 52) & 0x7ff;
    i32::try_from(biased).expect("eleven bits").max(1) - BIAS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_exponents() {
        assert_eq!([1.0, 1.9, 2.0, 0.5, 3e-308, 1e308].map(binary_exponent), [0, 0, 1, -1, -1022, 1023]);
        assert_eq!([0.0, 5e-324].map(binary_exponent), [-1022, -1022]);
    }
}
