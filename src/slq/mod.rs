//! Stochastic Lanczos quadrature: from the symmetric operator K to an estimated spectrum.
//!
//! ```text
//! tr f(K) = tr Q' f(K) Q + E z' P f(K) P z
//! ```
//!
//! [`block_krylov`] spans Q and [`lanczos`] makes the recurrences of the probes z; both end in a [`quadrature`] rule.
//! [`bracket`] bounds an integral by several rules, with the proofs of [`remainder`].
//! [`deflation`] and [`probes`] are the two terms, [`adaptive`] refines them until [`decision`] is done, and
//! [`mod@estimate`] is the result, from which a [`reading`] is a sum of an [`integrand`] with its [`control_variate`];
//! [`restored_estimate`] restores it from the numbers of a file.

pub(crate) mod adaptive;
pub(crate) mod block_krylov;
pub(crate) mod bracket;
pub(crate) mod control_variate;
pub(crate) mod decision;
pub(crate) mod deflation;
#[cfg(test)]
pub(crate) mod diagonal;
pub(crate) mod estimate;
pub(crate) mod integrand;
pub(crate) mod lanczos;
pub(crate) mod options;
pub(crate) mod probes;
pub(crate) mod progress;
pub(crate) mod quadrature;
pub(crate) mod random_signs;
pub(crate) mod reading;
pub(crate) mod remainder;
pub(crate) mod restored_estimate;
pub(crate) mod rule;
pub(crate) mod square_rules;
