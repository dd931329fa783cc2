//! The arrays of an estimate's file: refused, or read without a value that is not finite.
//!
//! The bytes are the numbers of [`EstimateInfo`] and of the arrays, in the order of the fields, preceded by the lengths
//! of the arrays. Everything that is accepted is read at several t and orders: entropies are from 0 to log2 N, bounds
//! hold the value, and standard errors are at least 0.
#![no_main]

use dsentropy::{Estimate, EstimateArrays, EstimateInfo};
use libfuzzer_sys::fuzz_target;
use ndarray::{Array2, Array3};

/// Numbers that are taken from the front of the input; zero where it has ended.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// A small number of the kind that files have, or any eight bytes.
    fn number(&mut self) -> f64 {
        match self.byte() {
            0 => {
                let bytes: [u8; 8] = std::array::from_fn(|_| self.byte());
                f64::from_le_bytes(bytes)
            }
            1 => -f64::from(self.byte()) / 64.0,
            2 => 2f64.powi(-i32::from(self.byte())),
            3 => 2f64.powi(4 * i32::from(self.byte())),
            _ => f64::from(self.byte()) / 256.0,
        }
    }

    fn numbers(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.number()).collect()
    }

    /// A count: small, or as a conversion of any number makes it.
    fn count(&mut self) -> usize {
        let number = self.number();
        if self.byte() & 1 == 0 { (number * 256.0) as usize } else { number as usize }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let [rows, nodes, probes, sums] = std::array::from_fn(|_| usize::from(bytes.byte()));
    let (rows, nodes, probes) = ([10, 6, 0, 3][rows % 4], nodes % 8, probes % 4);
    let info = EstimateInfo {
        dim: bytes.count(),
        positive_semidefinite: bytes.byte() & 1 == 0,
        products: bytes.count(),
        rounding: bytes.number(),
        entry_error: bytes.number(),
        unit_roundoff: bytes.number(),
        largest_modulus: bytes.number(),
    };
    let arrays = EstimateArrays {
        power_sums: bytes.numbers(sums % 5),
        steps: (0..=probes).map(|_| bytes.count()).collect(),
        deflated: Array2::from_shape_simple_fn((rows, nodes), || bytes.number()),
        probes: Array3::from_shape_simple_fn((probes, rows, nodes), || bytes.number()),
    };
    let Ok(estimate) = Estimate::from_arrays(info, arrays) else { return };
    let largest = (info.dim as f64).log2();
    for t in [1e-9, 0.5, 1.0, 2.0, 1e6] {
        for order in [0.5, 1.0, 2.0, f64::INFINITY] {
            let reading = estimate.read(t, order);
            assert!((0.0..=largest).contains(&reading.value), "{reading:?} of {info:?} at {t}, {order}");
            assert!(reading.lower <= reading.value && reading.value <= reading.upper, "{reading:?} at {t}, {order}");
            assert!(reading.standard_error >= 0.0, "{reading:?} at {t}, {order}");
        }
    }
});
