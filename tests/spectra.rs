//! Spectra and entropies of data sets for which they are known in closed form.

use std::f64::consts::TAU;

use approx::assert_abs_diff_eq;
use dsentropy::parallel::{self, Job};
use dsentropy::{Error, Measure, Operator, Precision, Result, spectral_entropy};
use ndarray::{Array2, array};

fn run<T: Send>(work: impl FnOnce(&Job) -> Result<T> + Send) -> Result<T> {
    parallel::run(2, || false, work)
}

fn sorted_eigenvalues(operator: Operator, x: &Array2<f64>) -> Vec<f64> {
    let mut eigenvalues = run(|job| operator.eigenvalues(x.view(), job)).unwrap();
    eigenvalues.sort_by(f64::total_cmp);
    eigenvalues
}

fn diffusion(bandwidth: f64, t: f64) -> Measure {
    Measure::Spectral { operator: Operator::Diffusion { bandwidth, precision: Precision::Double }, t }
}

fn entropy(measure: Measure, x: &Array2<f64>) -> f64 {
    run(|job| measure.entropy(x.view(), job)).unwrap()
}

/// n points of a circle: G is circulant, so its eigenvalues are the discrete Fourier transform of its first row, and
/// those of K the same, divided by the one degree.
#[test]
fn circle_has_the_fourier_transform_as_its_spectrum() {
    let (n, bandwidth) = (150, 0.3);
    let angle = |i: usize| TAU * i as f64 / n as f64;
    let x = Array2::from_shape_fn((n, 2), |(i, j)| if j == 0 { angle(i).cos() } else { angle(i).sin() });
    let squared = |i: usize| (2.0 * (angle(i) / 2.0).sin()).powi(2);
    let row: Vec<f64> = (0..n).map(|i| (-squared(i) / (2.0 * bandwidth * bandwidth)).exp()).collect();
    let mut transform: Vec<f64> =
        (0..n).map(|k| (0..n).map(|i| row[i] * angle(i * k % n).cos()).sum::<f64>().abs()).collect();
    transform.sort_by(f64::total_cmp);
    let degree: f64 = row.iter().sum();

    let affinity = sorted_eigenvalues(Operator::Affinity { bandwidth }, &x);
    let operator = sorted_eigenvalues(Operator::Diffusion { bandwidth, precision: Precision::Double }, &x);
    let rounding = 4.0 * n as f64 * f64::EPSILON * degree;
    for k in 0..n {
        assert_abs_diff_eq!(affinity[k], transform[k], epsilon = rounding);
        assert_abs_diff_eq!(operator[k], transform[k] / degree, epsilon = rounding / degree);
    }
}

/// Two rows: K has the eigenvalues 1 and (1 - g) / (1 + g).
#[test]
fn two_rows() {
    let g = (-0.5_f64).exp();
    let eigenvalues = sorted_eigenvalues(
        Operator::Diffusion { bandwidth: 2.0, precision: Precision::Double },
        &array![[0.0], [2.0]],
    );
    assert_abs_diff_eq!(eigenvalues[0], (1.0 - g) / (1.0 + g), epsilon = 1e-15);
    assert_abs_diff_eq!(eigenvalues[1], 1.0, epsilon = 1e-15);
}

/// A line with two neighbours each way, cut into a triangular matrix by k = 1: only the diagonal.
#[test]
fn graph_of_one_neighbor_is_the_identity() {
    let x = Array2::from_shape_fn((20, 1), |(i, _)| (i * i) as f64);
    assert_eq!(sorted_eigenvalues(Operator::NeighborGraph { n_neighbors: 1 }, &x), vec![1.0; 20]);
}

/// On 0, 1, 3, 7, ... each point's neighbour is the one before it: A is triangular, with ones on its diagonal, but
/// for the first two points, which are each other's.
#[test]
fn triangular_graph_has_its_diagonal_as_spectrum() {
    let x = Array2::from_shape_fn((8, 1), |(i, _)| f64::from(1 << i));
    let eigenvalues = sorted_eigenvalues(Operator::NeighborGraph { n_neighbors: 2 }, &x);
    // The block of the first two is all ones: eigenvalues 0 and 2. Jordan blocks of up to six ones: eps^(1/6).
    let expected = [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0];
    let defect = f64::EPSILON.powf(1.0 / 6.0);
    for (value, expected) in eigenvalues.iter().zip(expected) {
        assert_abs_diff_eq!(*value, expected, epsilon = 4.0 * defect);
    }
}

#[test]
fn identical_rows_have_no_entropy_and_distant_rows_all_of_it() {
    let identical = Array2::from_elem((64, 3), 0.1);
    let distant = Array2::from_shape_fn((64, 1), |(i, _)| 1000.0 * i as f64);
    for t in [1.0, 2.0, 5.0] {
        assert_abs_diff_eq!(entropy(diffusion(10.0, t), &identical), 0.0, epsilon = 1e-11);
        assert_abs_diff_eq!(entropy(diffusion(10.0, t), &distant), 6.0, epsilon = 1e-11);
    }
}

#[test]
fn clusters_count_when_time_is_long() {
    let x = Array2::from_shape_fn((120, 2), |(i, j)| (i % 4) as f64 * 1e3 + ((i * 31 + j * 17) % 13) as f64 / 13.0);
    assert_abs_diff_eq!(entropy(diffusion(1.0, 1e5), &x), 2.0, epsilon = 1e-10);
}

#[test]
fn single_precision_rows_have_double_precision_distances() {
    let single = Array2::from_shape_fn((90, 4), |(i, j)| ((i * 29 + j * 7) % 53) as f32 / 7.0 + 1000.0);
    let double = single.mapv(f64::from);
    let from_single = run(|job| diffusion(3.0, 1.0).entropy(single.view(), job)).unwrap();
    assert_eq!(from_single, entropy(diffusion(3.0, 1.0), &double));
}

#[test]
fn threads_change_nothing_beyond_rounding() {
    let x = Array2::from_shape_fn((700, 5), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0);
    let on = |threads| parallel::run(threads, || false, |job| diffusion(4.0, 1.0).entropy(x.view(), job)).unwrap();
    let (one, two, four) = (on(1), on(2), on(4));
    approx::assert_relative_eq!(one, two, max_relative = 1e-12);
    approx::assert_relative_eq!(one, four, max_relative = 1e-12);
    assert_eq!(two, on(2));
}

/// The entropy of a measure is that of its operator's eigenvalues.
#[test]
fn measure_reads_its_operator() {
    let x = Array2::from_shape_fn((60, 3), |(i, j)| ((i * 37 + j * 11) % 41) as f64);
    for operator in [
        Operator::Diffusion { bandwidth: 5.0, precision: Precision::Double },
        Operator::Affinity { bandwidth: 5.0 },
        Operator::NeighborGraph { n_neighbors: 9 },
    ] {
        let eigenvalues = run(|job| operator.eigenvalues(x.view(), job)).unwrap();
        let expected = spectral_entropy(&eigenvalues, 2.0).unwrap();
        assert_eq!(entropy(Measure::Spectral { operator, t: 2.0 }, &x), expected);
    }
}

#[test]
fn bad_input_is_named() {
    let fine = array![[0.0], [1.0]];
    let cases = [
        (diffusion(0.0, 1.0), fine.clone(), "bandwidth must be positive"),
        (diffusion(1.0, -1.0), fine.clone(), "t must be"),
        (Measure::MatrixEntries { bandwidth: f64::NAN }, fine.clone(), "bandwidth must be positive"),
        (Measure::BinnedRows { n_bins: 0 }, fine.clone(), "n_bins must be at least 1"),
        (diffusion(1.0, 1.0), array![[0.0], [f64::NAN]], "x must be finite, got NaN in row 1, column 0"),
        (Measure::BinnedRows { n_bins: 2 }, array![[0.0, f64::INFINITY]], "x must be finite, got inf in row 0"),
        (diffusion(1.0, 1.0), Array2::zeros((0, 3)), "x must be of at least one row"),
        (diffusion(1.0, 1.0), Array2::zeros((3, 0)), "x must be of at least one row"),
    ];
    for (measure, x, start) in cases {
        let error = run(|job| measure.entropy(x.view(), job)).unwrap_err().to_string();
        assert!(error.starts_with(start), "{error}");
    }
}

#[test]
fn more_rows_than_memory_holds_are_refused_before_any_work() {
    let many = Array2::<f32>::zeros((3_000_000, 1));
    for measure in [diffusion(1.0, 1.0), Measure::MatrixEntries { bandwidth: 1.0 }] {
        let error = run(|job| measure.entropy(many.view(), job)).unwrap_err();
        assert!(matches!(error, Error::OutOfMemory { rows: 3_000_000, .. }), "{error}");
    }
}
