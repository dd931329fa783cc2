//! Many subsets at once.

use std::time::{Duration, Instant};

use dsentropy::parallel;
use dsentropy::{Error, Measure, Operator, Precision, subset_entropies};
use ndarray::{Array2, Axis};

fn data() -> Array2<f64> {
    Array2::from_shape_fn((200, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0)
}

const MEASURES: [Measure; 4] = [
    Measure::Spectral { operator: Operator::Diffusion { bandwidth: 4.0, precision: Precision::Double }, t: 1.0 },
    Measure::Spectral { operator: Operator::NeighborGraph { n_neighbors: 8 }, t: 1.0 },
    Measure::MatrixEntries { bandwidth: 4.0 },
    Measure::BinnedRows { n_bins: 3 },
];

#[test]
fn each_entropy_is_that_of_its_rows_alone_and_stands_in_its_place() {
    let x = data();
    let subsets: Vec<Vec<usize>> =
        vec![(0..20).collect(), (0..150).rev().collect(), (50..100).collect(), vec![3; 30]];
    for measure in MEASURES {
        for threads in [1, 2, 3] {
            let together =
                parallel::run(threads, || false, |job| subset_entropies(x.view(), &subsets, measure, job)).unwrap();
            for (rows, together) in subsets.iter().zip(together) {
                let part = x.select(Axis(0), rows);
                let alone = parallel::run(1, || false, |job| measure.entropy(part.view(), job)).unwrap();
                assert_eq!(together, alone, "{measure:?} on {threads} threads");
            }
        }
    }
}

#[test]
fn no_subsets_no_entropies() {
    let none: [Vec<usize>; 0] = [];
    let entropies = parallel::run(2, || false, |job| subset_entropies(data().view(), &none, MEASURES[0], job));
    assert_eq!(entropies, Ok(vec![]));
}

#[test]
fn a_row_that_is_not_there_is_named() {
    let subsets = [vec![0, 200]];
    let result = parallel::run(1, || false, |job| subset_entropies(data().view(), &subsets, MEASURES[0], job));
    assert_eq!(result.unwrap_err().to_string(), "subsets must be row numbers below 200, got 200");
}

#[test]
fn the_error_of_one_subset_is_the_error_of_all() {
    let subsets = [(0..50).collect::<Vec<_>>(), (0..5).collect()];
    let result = parallel::run(2, || false, |job| subset_entropies(data().view(), &subsets, MEASURES[1], job));
    assert!(matches!(result, Err(Error::Invalid { argument: "n_neighbors", .. })));
}

/// Hours of work, asked to stop at once. Each subset is checked before it begins, so one of each thread is waited
/// for.
#[test]
fn interrupt_ends_many_subsets_early() {
    let x = data();
    let subsets = vec![(0..200).collect::<Vec<_>>(); 1_000_000];
    let start = Instant::now();
    let result = parallel::run(2, || true, |job| subset_entropies(x.view(), &subsets, MEASURES[0], job));
    assert_eq!(result, Err(Error::Interrupted));
    assert!(start.elapsed() < Duration::from_secs(60), "a hang, not a measurement");
}
