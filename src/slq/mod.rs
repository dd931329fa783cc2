//! Stochastic Lanczos quadrature: from K to an estimated spectrum.

pub(crate) mod adaptive;
pub(crate) mod estimate;
pub(crate) mod lanczos;
pub(crate) mod quadrature;
