//! Errors of the core as Python's exceptions.

use pyo3::PyErr;
use pyo3::exceptions::{PyKeyboardInterrupt, PyMemoryError, PyRuntimeError, PyValueError};

use crate::error::Error;

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Invalid { .. } => PyValueError::new_err(text),
            Error::OutOfMemory { .. } => PyMemoryError::new_err(text),
            Error::Interrupted => PyKeyboardInterrupt::new_err(text),
            Error::Lapack(_) | Error::Threads { .. } | Error::Internal(_) => PyRuntimeError::new_err(text),
        }
    }
}
