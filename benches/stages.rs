//! Times of each stage of the pipeline by itself, on all cores, at three sizes and two dimensions, and of the numbers in
//! `Tuning`.
//!
//! `cargo bench` runs all; `cargo bench -- affinity` one stage, `cargo bench -- tuning` the sweeps of tuning numbers.
//! Nothing else should run on the machine meanwhile: OpenBLAS's threads spin.
#![allow(missing_docs, reason = "criterion's macros expand to public functions")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use dsentropy::parallel::{self, Job};
use dsentropy::{
    Bandwidth, EigenvalueTuning, Input, NeighborTuning, OperatorSpec, Points, Result, Tuning, binned_rows_entropy,
    diffusion_operator, gaussian_affinity, general_eigenvalues, matrix_entry_entropy, neighbor_graph,
    spectral_entropy, subset_eigenvalues, symmetric_eigenvalues,
};
use ndarray::Array2;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const SIZES: [usize; 3] = [500, 2000, 5000];
const DIMENSIONS: [usize; 2] = [64, 512];

/// Rows whose distances are near one bandwidth, so that no exponential is trivial.
fn uniform(n: usize, d: usize) -> Array2<f64> {
    let mut rng = StdRng::seed_from_u64(0);
    Array2::from_shape_simple_fn((n, d), || rng.random_range(-1.0..1.0))
}

fn bandwidth(d: usize) -> f64 {
    (2.0 * d as f64 / 3.0).sqrt()
}

fn run<T: Send>(tuning: &Tuning, work: impl FnOnce(&Job) -> Result<T> + Send) -> T {
    parallel::run_with(tuning, parallel::default_threads(), || false, work)
        .expect("the benches compute valid problems")
}

/// Times `stage` alone with the measured tuning numbers: see [`time_with`].
fn time<I: Send, T: Send>(
    iterations: u64,
    prepare: impl Fn(&Job) -> Result<I> + Sync,
    stage: impl Fn(I, &Job) -> Result<T> + Sync,
) -> Duration {
    time_with(&Tuning::MEASURED, iterations, prepare, stage)
}

/// Times `stage` alone on a job that is set up already. `prepare` makes its input anew each time, untimed.
fn time_with<I: Send, T: Send>(
    tuning: &Tuning,
    iterations: u64,
    prepare: impl Fn(&Job) -> Result<I> + Sync,
    stage: impl Fn(I, &Job) -> Result<T> + Sync,
) -> Duration {
    run(tuning, |job| {
        let mut total = Duration::ZERO;
        for _ in 0..iterations {
            let input = prepare(job)?;
            let start = Instant::now();
            black_box(stage(black_box(input), job)?);
            total += start.elapsed();
        }
        Ok(total)
    })
}

fn stages_on_rows(c: &mut Criterion) {
    for d in DIMENSIONS {
        for n in SIZES {
            let x = uniform(n, d);
            let sigma = bandwidth(d);
            let fixed = Bandwidth::Fixed(sigma);
            let id = |stage: &str| BenchmarkId::new(stage, format!("N={n} D={d}"));
            let mut group = c.benchmark_group("rows");
            group.sample_size(10);
            group.bench_function(id("points"), |b| b.iter(|| Points::new(black_box(x.view()), sigma)));
            group.bench_function(id("affinity"), |b| {
                let points = Points::new(x.view(), sigma);
                b.iter_custom(|k| time(k, |_| Ok(()), |(), job| gaussian_affinity(&points, &fixed, job)));
            });
            group.bench_function(id("diffusion operator"), |b| {
                let points = Points::new(x.view(), sigma);
                b.iter_custom(|k| time(k, |_| Ok(()), |(), job| diffusion_operator(&points, &fixed, 0.0, job)));
            });
            group.bench_function(id("neighbor graph"), |b| {
                let points = Points::in_own_scale(x.view());
                b.iter_custom(|k| time(k, |_| Ok(()), |(), job| neighbor_graph(&points, 10, None, job)));
            });
            group.bench_function(id("binned rows"), |b| {
                b.iter_custom(|k| time(k, |_| Ok(()), |(), job| binned_rows_entropy(x.view(), 2, job)));
            });
            group.bench_function(id("ten subsets"), |b| {
                let subsets: Vec<Vec<usize>> = (0..10).map(|s| (s..n).step_by(10).collect()).collect();
                let (rows, operator) = (Input::rows(x.view()), OperatorSpec::diffusion(sigma));
                let stage = |(), job: &Job| subset_eigenvalues(rows, &subsets, &operator, &|| (), job);
                b.iter_custom(|k| time(k, |_| Ok(()), stage));
            });
        }
    }
}

fn stages_on_matrices(c: &mut Criterion) {
    let d = DIMENSIONS[0];
    for n in SIZES {
        let x = uniform(n, d);
        let sigma = bandwidth(d);
        let operator =
            |job: &Job| diffusion_operator(&Points::new(x.view(), sigma), &Bandwidth::Fixed(sigma), 0.0, job);
        let mut group = c.benchmark_group("matrix");
        group.sample_size(10);
        let id = |stage: &str| BenchmarkId::new(stage, format!("N={n}"));
        group.bench_function(id("symmetric eigenvalues"), |b| {
            b.iter_custom(|k| time(k, |job| Ok(operator(job)?.into_matrix()), symmetric_eigenvalues));
        });
        group.bench_function(id("matrix entries"), |b| {
            b.iter_custom(|k| time(k, operator, |k, job| matrix_entry_entropy(&k, job)));
        });
        group.bench_function(id("entropy of a spectrum"), |b| {
            let eigenvalues: Vec<f64> = (1..=n).map(|i| 1.0 / i as f64).collect();
            b.iter(|| spectral_entropy(black_box(&eigenvalues), 2.0));
        });
        // About 10 N^3 flops on one thread: at N = 5000 a sample would take minutes.
        if n <= 2000 {
            let graph = run(&Tuning::MEASURED, |job| neighbor_graph(&Points::in_own_scale(x.view()), 10, None, job));
            group.bench_function(id("general eigenvalues"), |b| {
                b.iter_custom(|k| time(k, |_| Ok(graph.clone()), general_eigenvalues));
            });
        }
    }
}

/// Sweeps the reduction to tridiagonal form, the width of the band, and the rows of a block of the neighbour search.
fn tuning_numbers(c: &mut Criterion) {
    let mut group = c.benchmark_group("tuning");
    group.sample_size(10);
    let always = [0, 0];
    let never = [usize::MAX, usize::MAX];
    let stages = [("one stage", usize::MAX), ("two stages", 0)];
    for n in [600, 1200, 2500] {
        let matrix = uniform(n, n);
        for (stages, two_stages_from) in stages {
            for (band, wider_band_from) in [(16, never), (32, [0, usize::MAX]), (48, always)] {
                if two_stages_from > 0 && band > 16 {
                    continue; // it has no band
                }
                let measured = Tuning::MEASURED;
                let eigenvalues_f64 =
                    EigenvalueTuning { two_stages_from, wider_band_from, ..measured.eigenvalues_f64 };
                let tuning = Tuning { eigenvalues_f64, ..measured };
                group.bench_function(BenchmarkId::new(format!("{stages}, {band}"), format!("N={n}")), |b| {
                    b.iter_custom(|k| time_with(&tuning, k, |_| Ok(matrix.clone()), symmetric_eigenvalues));
                });
            }
        }
    }
    let x = uniform(5000, 64);
    let points = Points::in_own_scale(x.view());
    for highest in [128, 256, 512, 1024] {
        let measured = Tuning::MEASURED;
        let neighbors = NeighborTuning { block_rows: [64, highest], ..measured.neighbors };
        let tuning = Tuning { neighbors, ..measured };
        group.bench_function(BenchmarkId::new("neighbor blocks", highest), |b| {
            b.iter_custom(|k| time_with(&tuning, k, |_| Ok(()), |(), job| neighbor_graph(&points, 10, None, job)));
        });
    }
}

criterion_group!(benches, stages_on_rows, stages_on_matrices, tuning_numbers);
criterion_main!(benches);
