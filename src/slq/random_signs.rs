//! Random signs: the entries of the probes and of the first block of the block Krylov space.
//!
//! They are the lowest bits of the generator SplitMix64 of Steele, Lea & Flood (OOPSLA 2014,
//! doi:10.1145/2660193.2660195), so a seed gives the same signs on every machine.

use ndarray::Array2;

/// Generates random signs by SplitMix64.
pub(crate) struct RandomSigns(u64);

impl RandomSigns {
    /// The signs of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A matrix of the next signs, row by row.
    pub(crate) fn matrix(&mut self, rows: usize, columns: usize) -> Array2<f64> {
        Array2::from_shape_simple_fn((rows, columns), || if self.bits() & 1 == 0 { 1.0 } else { -1.0 })
    }

    /// The next 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of SplitMix64 for the seed 1234567, as in its reference implementation.
    #[test]
    fn bits_are_those_of_splitmix64() {
        let mut signs = RandomSigns::new(1_234_567);
        assert_eq!(
            [signs.bits(), signs.bits(), signs.bits()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn signs_are_balanced_and_belong_to_their_seed() {
        let matrix = RandomSigns::new(3).matrix(100, 100);
        assert!(matrix.iter().all(|sign| sign.abs() == 1.0));
        // The sum of 10^4 signs has the standard deviation 100.
        assert!(matrix.sum().abs() < 400.0);
        assert_eq!(matrix, RandomSigns::new(3).matrix(100, 100));
        assert_ne!(matrix, RandomSigns::new(4).matrix(100, 100));
    }
}
