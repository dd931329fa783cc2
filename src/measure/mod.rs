//! Spectra of a data set, the entropies that are read off them, and entropies without a spectrum.

pub(crate) mod binned_rows;
pub(crate) mod covariance;
pub(crate) mod direct_entropy;
pub(crate) mod entropy;
pub(crate) mod estimated_spectrum;
pub(crate) mod median_kernel;
pub(crate) mod operator_matrix;
pub(crate) mod spectrum;
pub(crate) mod subsets;
pub(crate) mod sweep;
