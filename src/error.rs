//! What can go wrong, with the numbers that say why.

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument has a value that it may not have.
    #[error("{argument} must be {requirement}, got {value}")]
    Invalid {
        /// The argument's name.
        argument: &'static str,
        /// What it must be.
        requirement: String,
        /// What it was.
        value: String,
    },
    /// The computation holds more memory than the process can have.
    #[error(
        "{rows} rows need {} of memory, and this process can have {}: use fewer rows (max_N, or a subset of the data)",
        bytes(*needed), bytes(*available)
    )]
    OutOfMemory {
        /// Rows of the largest problem.
        rows: usize,
        /// Bytes that it needs.
        needed: u64,
        /// Bytes that the process can have.
        available: u64,
    },
    /// The caller asked for the computation to stop.
    #[error("interrupted")]
    Interrupted,
    /// LAPACK did not deliver.
    #[error("LAPACK: {0}")]
    Lapack(String),
    /// Threads could not be started.
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the system said.
        reason: String,
    },
    /// A fault of this library: a panic, caught before it could cross a language boundary.
    #[error("internal error of dsentropy: {0}")]
    Internal(String),
}

impl Error {
    pub(crate) fn invalid(
        argument: &'static str,
        requirement: impl Into<String>,
        value: impl std::fmt::Display,
    ) -> Self {
        Self::Invalid { argument, requirement: requirement.into(), value: value.to_string() }
    }
}

/// Fails unless `value` is a positive, finite number.
pub(crate) fn require_positive(argument: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::invalid(argument, "positive and finite", value))
    }
}

/// Fails unless `t` can be a diffusion time.
pub(crate) fn require_time(t: f64) -> Result<()> {
    if t >= 0.0 && t.is_finite() { Ok(()) } else { Err(Error::invalid("t", "finite and at least 0", t)) }
}

/// A number of bytes as people read it.
fn bytes(n: u64) -> String {
    let n = n as f64;
    if n < 1e9 { format!("{:.0} MB", n / 1e6) } else { format!("{:.1} GB", n / 1e9) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_error_states_both_amounts_and_the_way_out() {
        let text = Error::OutOfMemory { rows: 200_000, needed: 320_500_000_000, available: 512_000_000 }.to_string();
        for part in ["200000 rows", "320.5 GB", "512 MB", "max_N"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn positive_means_positive_and_finite() {
        assert!(require_positive("bandwidth", 1e-300).is_ok());
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = require_positive("bandwidth", bad).unwrap_err();
            assert!(error.to_string().starts_with("bandwidth must be positive and finite, got"));
        }
    }
}
