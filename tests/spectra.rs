//! Spectra and entropies of data sets for which they are known in closed form.

use std::f64::consts::TAU;

use approx::assert_abs_diff_eq;
use dsentropy::parallel::{self, Job};
use dsentropy::{
    Bandwidth, Error, Input, Measure, Metric, OperatorSpec, Precision, Result, spectral_entropy, sweep_eigenvalues,
};
use ndarray::{Array2, array};

#[path = "../src/runtime/test_size.rs"]
mod test_size;
use test_size::sized;

fn run<T: Send>(work: impl FnOnce(&Job) -> Result<T> + Send) -> Result<T> {
    parallel::run(2, || false, work)
}

fn sorted_eigenvalues(operator: OperatorSpec, x: &Array2<f64>) -> Vec<f64> {
    let mut eigenvalues = run(|job| operator.eigenvalues(Input::rows(x.view()), job)).unwrap();
    eigenvalues.sort_by(f64::total_cmp);
    eigenvalues
}

fn entropy(bandwidth: f64, t: f64, x: &Array2<f64>) -> f64 {
    spectral_entropy(&sorted_eigenvalues(OperatorSpec::diffusion(bandwidth), x), t).unwrap()
}

/// The affinity of n points on a circle is circulant: its eigenvalues are the discrete Fourier transform of its first
/// row, and those of K are these, divided by the one degree.
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

    let affinity = sorted_eigenvalues(OperatorSpec::affinity(bandwidth), &x);
    let operator = sorted_eigenvalues(OperatorSpec::diffusion(bandwidth), &x);
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
    let eigenvalues = sorted_eigenvalues(OperatorSpec::diffusion(2.0), &array![[0.0], [2.0]]);
    assert_abs_diff_eq!(eigenvalues[0], (1.0 - g) / (1.0 + g), epsilon = 1e-15);
    assert_abs_diff_eq!(eigenvalues[1], 1.0, epsilon = 1e-15);
}

/// With k = 1 each row is its own nearest neighbour: A is the identity.
#[test]
fn graph_of_one_neighbor_is_the_identity() {
    let x = Array2::from_shape_fn((20, 1), |(i, _)| (i * i) as f64);
    assert_eq!(sorted_eigenvalues(OperatorSpec::neighbor_graph(1), &x), vec![1.0; 20]);
}

/// The neighbour of each of the points 0, 1, 3, 7, ... is the one before it: A is triangular, with ones on its diagonal,
/// except for the first two points, each of which is the neighbour of the other.
#[test]
fn triangular_graph_has_its_diagonal_as_spectrum() {
    let x = Array2::from_shape_fn((8, 1), |(i, _)| f64::from(1 << i));
    let eigenvalues = sorted_eigenvalues(OperatorSpec::neighbor_graph(2), &x);
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
        assert_abs_diff_eq!(entropy(10.0, t, &identical), 0.0, epsilon = 1e-11);
        assert_abs_diff_eq!(entropy(10.0, t, &distant), 6.0, epsilon = 1e-11);
    }
}

#[test]
fn clusters_count_when_time_is_long() {
    let x = Array2::from_shape_fn((120, 2), |(i, j)| (i % 4) as f64 * 1e3 + ((i * 31 + j * 17) % 13) as f64 / 13.0);
    assert_abs_diff_eq!(entropy(1.0, 1e5, &x), 2.0, epsilon = 1e-10);
}

#[test]
fn single_precision_rows_have_double_precision_distances() {
    let single = Array2::from_shape_fn((90, 4), |(i, j)| ((i * 29 + j * 7) % 53) as f32 / 7.0 + 1000.0);
    let double = single.mapv(f64::from);
    let from_single = run(|job| OperatorSpec::diffusion(3.0).eigenvalues(Input::rows(single.view()), job)).unwrap();
    assert_eq!(
        from_single,
        run(|job| OperatorSpec::diffusion(3.0).eigenvalues(Input::rows(double.view()), job)).unwrap()
    );
}

#[test]
fn threads_change_nothing_beyond_rounding() {
    let x = Array2::from_shape_fn((sized(700, 200), 5), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0);
    let on = |threads| {
        let eigenvalues = |job: &Job| OperatorSpec::diffusion(4.0).eigenvalues(Input::rows(x.view()), job);
        spectral_entropy(&parallel::run(threads, || false, eigenvalues).unwrap(), 1.0).unwrap()
    };
    let (one, two, four) = (on(1), on(2), on(4));
    approx::assert_relative_eq!(one, two, max_relative = 1e-12);
    approx::assert_relative_eq!(one, four, max_relative = 1e-12);
    assert_eq!(two, on(2));
}

/// A sweep computes distances once, and solves its operators in parallel; a matrix of distances takes the place of
/// rows.
#[test]
fn sweeps_give_what_each_operator_gives() {
    let n = sized(700, 150);
    let x = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 37 + j * 11) % 41) as f64);
    let distances =
        Array2::from_shape_fn((n, n), |(i, j)| (0..3).map(|k| (x[[i, k]] - x[[j, k]]).powi(2)).sum::<f64>().sqrt());
    let operators = [OperatorSpec::diffusion(5.0), OperatorSpec::affinity(0.5), OperatorSpec::diffusion(50.0)];
    let counted = std::sync::atomic::AtomicUsize::new(0);
    let done = || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    };
    for input in [Input::rows(x.view()), Input { metric: Metric::Precomputed, matrix: distances.view() }] {
        let together = run(|job| sweep_eigenvalues(input, &operators, &done, job)).unwrap();
        for (operator, mut together) in operators.iter().zip(together) {
            together.sort_by(f64::total_cmp);
            let largest = together[n - 1];
            for (one, other) in together.iter().zip(sorted_eigenvalues(operator.clone(), &x)) {
                assert_abs_diff_eq!(*one, other, epsilon = 1e-12 * largest);
            }
        }
    }
    assert_eq!(counted.load(std::sync::atomic::Ordering::Relaxed), 6);
    let graph = [OperatorSpec::neighbor_graph(3)];
    let error = run(|job| sweep_eigenvalues(Input::rows(x.view()), &graph, &done, job)).unwrap_err();
    assert!(error.to_string().starts_with("operators must be of a kernel"), "{error}");
}

/// Eigenvalues that f32 does not resolve are known of positive definite kernels only, and a kernel of given distances
/// need not be one.
#[test]
fn given_distances_are_in_double_precision_in_any_case() {
    // Steps between the vertices of a complete bipartite graph.
    let distances =
        Array2::from_shape_fn((300, 300), |(i, j)| if i == j { 0.0 } else { 1.0 + f64::from(i % 2 == j % 2) });
    let input = Input { metric: Metric::Precomputed, matrix: distances.view() };
    let of = |precision| {
        let operator =
            OperatorSpec::Diffusion { bandwidth: Bandwidth::Fixed(1.0), alpha: 0.0, precision, row_weights: None };
        let alone = run(|job| operator.eigenvalues(input, job)).unwrap();
        let swept = run(|job| sweep_eigenvalues(input, std::slice::from_ref(&operator), &|| (), job)).unwrap();
        (alone, swept)
    };
    assert_eq!(of(Precision::Single), of(Precision::Double));
    let trace = of(Precision::Double).0.iter().sum::<f64>();
    let degree = 1.0 + 150.0 * (-0.5_f64).exp() + 149.0 * (-2.0_f64).exp();
    assert!(trace > 300.0 / degree + 0.1, "moduli of negative eigenvalues add to the trace");
}

/// Row i counts as w_i rows: the spectrum is that of the copies without the zeros that they add.
#[test]
fn row_weights_count_copies() {
    let n = sized(40, 20);
    let x = Array2::from_shape_fn((n, 2), |(i, j)| ((i * 29 + j * 7) % 53) as f64);
    let numbers: Vec<usize> = (0..n).map(|i| 1 + i % 3).collect();
    let copied: Vec<usize> = (0..n).flat_map(|i| std::iter::repeat_n(i, numbers[i])).collect();
    let copies = Array2::from_shape_fn((copied.len(), 2), |(i, j)| x[[copied[i], j]]);
    let sigma = |row: usize| 6.0 + (row % 5) as f64;
    let of = |rows: &[usize], alpha: f64, is_adaptive: bool, row_weights: Option<Vec<f64>>| {
        let each = Bandwidth::Adaptive(rows.iter().map(|&row| sigma(row)).collect());
        let bandwidth = if is_adaptive { each } else { Bandwidth::Fixed(8.0) };
        OperatorSpec::Diffusion { bandwidth, alpha, precision: Precision::Single, row_weights }
    };
    let all: Vec<usize> = (0..n).collect();
    let weights: Vec<f64> = numbers.iter().map(|&number| number as f64 / 4.0).collect();
    for (alpha, is_adaptive) in [(0.0, false), (0.0, true), (0.5, false), (1.0, true)] {
        let expected = sorted_eigenvalues(of(&copied, alpha, is_adaptive, None), &copies);
        let weighted = of(&all, alpha, is_adaptive, Some(weights.clone()));
        let found = sorted_eigenvalues(weighted, &x);
        for (value, expected) in found.iter().zip(&expected[copied.len() - n..]) {
            assert_abs_diff_eq!(value, expected, epsilon = 1e-13);
        }
    }
    for wrong in [vec![1.0; n - 1], vec![0.0; n], vec![f64::NAN; n]] {
        let operator = of(&all, 0.0, false, Some(wrong));
        let error = run(|job| operator.eigenvalues(Input::rows(x.view()), job)).unwrap_err();
        assert!(error.to_string().starts_with("row_weights must be positive and finite"), "{error}");
    }
}

/// Affinities G in place of the rows: K does not depend on their scale.
#[test]
fn affinities_take_the_place_of_rows() {
    let x = Array2::from_shape_fn((150, 2), |(i, j)| ((i * 29 + j * 7) % 53) as f64);
    let g = |i: usize, j: usize| (-(0..2).map(|k| (x[[i, k]] - x[[j, k]]).powi(2)).sum::<f64>() / 200.0).exp();
    for scale in [1e-300, 1.0, 1e300] {
        let affinity = Array2::from_shape_fn((150, 150), |(i, j)| g(i, j) * scale);
        let input = Input { metric: Metric::Affinity, matrix: affinity.view() };
        let mut given = run(|job| OperatorSpec::diffusion(1.0).eigenvalues(input, job)).unwrap();
        given.sort_by(f64::total_cmp);
        for (given, rows) in given.iter().zip(sorted_eigenvalues(OperatorSpec::diffusion(10.0), &x)) {
            assert_abs_diff_eq!(*given, rows, epsilon = 1e-13);
        }
    }
}

#[test]
fn bad_input_is_named() {
    let fine = array![[0.0], [1.0]];
    let operators = [
        (OperatorSpec::diffusion(0.0), fine.clone(), "bandwidth must be positive"),
        (OperatorSpec::diffusion(1.0), array![[0.0], [f64::NAN]], "x must be finite, got NaN in row 1, column 0"),
        (OperatorSpec::diffusion(1.0), Array2::zeros((0, 3)), "x must be of at least one row"),
        (OperatorSpec::affinity(1.0), Array2::zeros((3, 0)), "x must be of at least one row"),
        (OperatorSpec::neighbor_graph(3), fine.clone(), "n_neighbors must be in 1..=2"),
    ];
    for (operator, x, start) in operators {
        let error = run(|job| operator.eigenvalues(Input::rows(x.view()), job)).unwrap_err().to_string();
        assert!(error.starts_with(start), "{error}");
    }
    let measures = [
        (Measure::MatrixEntries { bandwidth: f64::NAN }, fine.clone(), "bandwidth must be positive"),
        (Measure::BinnedRows { n_bins: 0 }, fine.clone(), "n_bins must be at least 1"),
        (Measure::BinnedRows { n_bins: 2 }, array![[0.0, f64::INFINITY]], "x must be finite, got inf in row 0"),
    ];
    for (measure, x, start) in measures {
        let error = run(|job| measure.entropy(x.view(), job)).unwrap_err().to_string();
        assert!(error.starts_with(start), "{error}");
    }
    let wide = Array2::<f64>::ones((2, 3));
    for metric in [Metric::Precomputed, Metric::Affinity] {
        let input = Input { metric, matrix: wide.view() };
        let error = run(|job| OperatorSpec::diffusion(1.0).eigenvalues(input, job)).unwrap_err();
        assert!(error.to_string().starts_with("x must be square"), "{error}");
    }
}

#[test]
fn more_rows_than_memory_holds_are_refused_before_any_work() {
    let many = Array2::<f32>::zeros((3_000_000, 1));
    let spectrum = run(|job| OperatorSpec::diffusion(1.0).eigenvalues(Input::rows(many.view()), job)).map(|_| ());
    let entries = run(|job| Measure::MatrixEntries { bandwidth: 1.0 }.entropy(many.view(), job)).map(|_| ());
    for refused in [spectrum, entries] {
        assert!(matches!(refused, Err(Error::OutOfMemory { rows: 3_000_000, .. })), "{refused:?}");
    }
}
