//! Spectra and entropies of many subsets of the rows at once.

use std::time::{Duration, Instant};

use dsentropy::parallel::{self, Job};
use dsentropy::{
    Bandwidth, Error, Input, Measure, Metric, OperatorSpec, Precision, subset_eigenvalues, subset_entropies,
};
use ndarray::{Array2, Axis};

#[path = "../src/runtime/test_size.rs"]
mod test_size;
use test_size::sized;

fn data() -> Array2<f64> {
    Array2::from_shape_fn((200, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0)
}

const MEASURES: [Measure; 2] = [Measure::MatrixEntries { bandwidth: 4.0 }, Measure::BinnedRows { n_bins: 3 }];

fn subsets() -> Vec<Vec<usize>> {
    vec![(0..20).collect(), (0..150).rev().collect(), (50..100).collect(), vec![3; 30]]
}

#[test]
fn entropies_come_in_order_and_equal_those_of_the_rows_alone() {
    let x = data();
    for measure in MEASURES {
        for threads in [1, 2, 3] {
            let together =
                parallel::run(threads, || false, |job| subset_entropies(x.view(), &subsets(), measure, job)).unwrap();
            for (rows, together) in subsets().iter().zip(together) {
                let part = x.select(Axis(0), rows);
                let alone = parallel::run(1, || false, |job| measure.entropy(part.view(), job)).unwrap();
                assert_eq!(together, alone, "{measure:?} on {threads} threads");
            }
        }
    }
}

#[test]
fn spectra_equal_those_of_the_rows_alone_with_their_bandwidths() {
    let x = data();
    let sigmas: Vec<f64> = (0..200).map(|i| 2.0 + f64::from(i % 7)).collect();
    let adaptive = |rows: &[usize]| OperatorSpec::Diffusion {
        bandwidth: Bandwidth::Adaptive(rows.iter().map(|&i| sigmas[i]).collect()),
        alpha: 0.5,
        precision: Precision::Double,
        row_weights: None,
    };
    let all: Vec<usize> = (0..200).collect();
    let of_all = [adaptive(&all), OperatorSpec::diffusion(4.0), OperatorSpec::neighbor_graph(8)];
    for (kind, operator) in of_all.iter().enumerate() {
        let work = |job: &Job| subset_eigenvalues(Input::rows(x.view()), &subsets(), operator, &|| (), job);
        let together = parallel::run(2, || false, work).unwrap();
        for (rows, together) in subsets().iter().zip(together) {
            let part = x.select(Axis(0), rows);
            let own = if kind == 0 { adaptive(rows) } else { operator.clone() };
            let alone = parallel::run(1, || false, |job| own.eigenvalues(Input::rows(part.view()), job)).unwrap();
            assert_eq!(together, alone, "{operator:?}");
        }
    }
}

/// A subset of a matrix of distances holds the rows and columns of the subset.
#[test]
fn subsets_of_distances_are_distances_of_subsets() {
    let x = data();
    let distances = Array2::from_shape_fn((200, 200), |(i, j)| {
        (0..3).map(|k| (x[[i, k]] - x[[j, k]]).powi(2)).sum::<f64>().sqrt()
    });
    let operator = OperatorSpec::diffusion(4.0);
    let of = |input: Input<f64>| {
        parallel::run(2, || false, |job| subset_eigenvalues(input, &subsets(), &operator, &|| (), job)).unwrap()
    };
    let given = of(Input { metric: Metric::Precomputed, matrix: distances.view() });
    for (rows, given) in of(Input::rows(x.view())).iter().zip(given) {
        for (one, other) in rows.iter().zip(given) {
            approx::assert_abs_diff_eq!(*one, other, epsilon = 1e-13);
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
fn a_row_that_does_not_exist_is_named() {
    let subsets = [vec![0, 200]];
    let result = parallel::run(1, || false, |job| subset_entropies(data().view(), &subsets, MEASURES[0], job));
    assert_eq!(result.unwrap_err().to_string(), "subsets must be row numbers below 200, got 200");
}

#[test]
fn the_error_of_one_subset_is_the_error_of_all() {
    let subsets = [(0..50).collect::<Vec<_>>(), (0..5).collect()];
    let (x, operator) = (data(), OperatorSpec::neighbor_graph(8));
    let work = |job: &Job| subset_eigenvalues(Input::rows(x.view()), &subsets, &operator, &|| (), job);
    let result = parallel::run(2, || false, work);
    assert!(matches!(result, Err(Error::Invalid { argument: "n_neighbors", .. })));
}

/// Hours of work, interrupted at once. Each subset checks for it before it begins, so at most one per thread is
/// finished.
#[test]
fn interrupt_ends_many_subsets_early() {
    let x = data();
    let subsets = vec![(0..200).collect::<Vec<_>>(); sized(1_000_000, 20_000)];
    let start = Instant::now();
    let result = parallel::run(2, || true, |job| subset_entropies(x.view(), &subsets, MEASURES[0], job));
    assert_eq!(result, Err(Error::Interrupted));
    assert!(start.elapsed() < Duration::from_secs(60), "a hang, not a measurement");
}
