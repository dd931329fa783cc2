//! The errors of this crate, with the numbers that explain them.

/// The result of a computation that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of a computation.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument has a value that is not allowed.
    #[error("{argument} must be {requirement}, got {value}")]
    Invalid {
        /// The argument's name.
        argument: &'static str,
        /// The requirement on its value.
        requirement: String,
        /// The value that was given.
        value: String,
    },
    /// The computation needs more memory than the process can have. What to do about it depends on the function that was
    /// called, so its caller says so.
    #[error("{rows} rows need {} of memory, and this process can have {}", bytes(*needed), bytes(*available))]
    OutOfMemory {
        /// The rows of the largest problem.
        rows: usize,
        /// The bytes that it needs.
        needed: u64,
        /// The bytes that the process can have.
        available: u64,
    },
    /// The caller asked for the computation to stop.
    #[error("interrupted")]
    Interrupted,
    /// A LAPACK routine failed, or was given a matrix that it cannot take.
    #[error("LAPACK: {0}")]
    Lapack(String),
    /// Threads could not be started.
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// The number of threads that were asked for.
        threads: usize,
        /// The error of the system.
        reason: String,
    },
    /// A panic, which is a fault of this library, caught before it could cross a language boundary.
    #[error("internal error of dsentropy: {0}")]
    Internal(String),
}

impl Error {
    /// An [`Error::Invalid`] from the argument's name, the requirement and the value.
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

/// Formats a number of bytes in MB or GB.
fn bytes(n: u64) -> String {
    let n = n as f64;
    if n < 1e9 { format!("{:.0} MB", n / 1e6) } else { format!("{:.1} GB", n / 1e9) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_error_states_both_amounts() {
        let text = Error::OutOfMemory { rows: 200_000, needed: 320_500_000_000, available: 512_000_000 }.to_string();
        assert_eq!(text, "200000 rows need 320.5 GB of memory, and this process can have 512 MB");
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
