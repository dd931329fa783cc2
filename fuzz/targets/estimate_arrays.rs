//! The arrays of an estimate's file: refused, or read without a value that is not finite.
//!
//! The bytes are the numbers of [`EstimateInfo`] and of the arrays, preceded by the lengths of the arrays. Sums of weights,
//! which random numbers never meet, are made right, and one number is then harmed at times. Everything that is accepted is
//! read at several t and orders: entropies are from 0 to log2 N, bounds hold the value, and standard errors are at least
//! 0.
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

    /// A count: small, or as a conversion of any number makes it.
    fn count(&mut self) -> usize {
        let number = self.number();
        if self.byte() & 1 == 0 { (number * 256.0) as usize } else { number as usize }
    }
}

/// Rules of one vector or block, with the nodes and weights of the input. Weights are scaled to one sum.
fn rules(bytes: &mut Bytes, rows: usize, nodes: usize, mass: f64) -> Array2<f64> {
    let mut found = Array2::from_shape_simple_fn((rows, nodes), || bytes.number());
    for mut weights in found.rows_mut().into_iter().skip(1).step_by(2) {
        weights.mapv_inplace(f64::abs);
        let sum = weights.sum();
        if sum > 0.0 && sum.is_finite() {
            weights.mapv_inplace(|weight| weight * (mass / sum));
        }
    }
    found
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let [rows, nodes, probes, sums, harm] = std::array::from_fn(|_| usize::from(bytes.byte()));
    let (rows, nodes, probes) = (if rows == 0 { 3 } else { [10, 6][rows % 2] }, 1 + nodes % 7, probes % 4);
    let dim = if harm == 1 { bytes.count() } else { 1 + usize::from(bytes.byte()) };
    let part = f64::from(bytes.byte()) / 255.0; // of the spectrum, that is deflated
    let n = dim as f64;
    let info = EstimateInfo {
        dim,
        positive_semidefinite: bytes.byte() & 1 == 0,
        products: bytes.count(),
        rounding: bytes.number(),
        entry_error: bytes.number(),
        unit_roundoff: bytes.number(),
        largest_modulus: if bytes.byte() & 1 == 0 { f64::INFINITY } else { bytes.number() },
    };
    let deflated = rules(&mut bytes, rows, nodes, part * n);
    let mut of_probes = Array3::zeros((probes, rows, nodes));
    for mut probe in of_probes.outer_iter_mut() {
        probe.assign(&rules(&mut bytes, rows, nodes, n));
    }
    let mut power_sums = vec![n - deflated.row(1).sum()];
    power_sums.extend((0..sums % 3).map(|_| bytes.number() * n));
    let steps = (0..=probes).map(|_| if harm == 2 { bytes.count() } else { 1 + usize::from(bytes.byte()) % nodes });
    let mut arrays = EstimateArrays { power_sums, steps: steps.collect(), deflated, probes: of_probes };
    if harm == 3 {
        let at = usize::from(bytes.byte()) % arrays.deflated.len();
        arrays.deflated.as_slice_mut().expect("an owned array in standard order")[at] = bytes.number();
    }
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
