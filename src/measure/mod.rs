//! What is asked of data: spectra, and the entropies that are read off them.

pub(crate) mod binned_rows;
pub(crate) mod covariance;
pub(crate) mod entropy;
pub(crate) mod estimated_spectrum;
pub(crate) mod spectrum;
pub(crate) mod subsets;
pub(crate) mod sweep;
