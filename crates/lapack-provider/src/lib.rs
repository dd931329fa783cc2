//! Links a LAPACK, and controls the threads of an OpenBLAS.
//!
//! A crate that depends on `ndarray-linalg` depends on this one as well and calls one of its functions (or writes
//! `use lapack_provider as _;`), so that the library is linked.
//!
//! With the default provider, OpenBLAS from the Python package `scipy-openblas32`, each routine is a jump from its plain
//! name to the library's prefixed one (`dsyev_` to `scipy_dsyev_`); see `build.rs`.
#![no_std]

#[cfg(scipy_openblas)]
core::arch::global_asm!(include_str!(concat!(env!("OUT_DIR"), "/forward.s")));

#[cfg(openblas)]
mod openblas {
    use core::ffi::{c_char, c_int};
    unsafe extern "C" {
        #[cfg_attr(scipy_openblas, link_name = "scipy_openblas_set_num_threads")]
        pub fn openblas_set_num_threads(n: c_int);
        #[cfg_attr(scipy_openblas, link_name = "scipy_openblas_get_num_threads")]
        pub fn openblas_get_num_threads() -> c_int;
        #[cfg_attr(scipy_openblas, link_name = "scipy_openblas_get_config")]
        pub fn openblas_get_config() -> *const c_char;
        #[cfg_attr(scipy_openblas, link_name = "scipy_openblas_get_corename")]
        pub fn openblas_get_corename() -> *const c_char;
    }
}

/// Sets the number of threads of the linked OpenBLAS, which is one number for the whole process. Does nothing with
/// another LAPACK.
pub fn set_num_threads(n: usize) {
    #[cfg(openblas)]
    // SAFETY: the function takes any positive int, which OpenBLAS clamps to the number that it was built for.
    unsafe {
        openblas::openblas_set_num_threads(i32::try_from(n.max(1)).unwrap_or(i32::MAX));
    }
    let _ = n;
}

/// The number of threads of the linked OpenBLAS; `None` with another LAPACK.
pub fn num_threads() -> Option<usize> {
    #[cfg(openblas)]
    // SAFETY: the function reads one number of the library.
    let threads = usize::try_from(unsafe { openblas::openblas_get_num_threads() }).ok();
    #[cfg(not(openblas))]
    let threads = None;
    threads
}

/// Registers `before`, to be called before each fork of this process, and `parent` and `child`, to be called after it there.
///
/// `before` is called before OpenBLAS ends its threads. Without a wait there, a call that is under way in another thread
/// would wait for them for ever.
#[cfg(unix)]
pub fn at_fork(before: extern "C" fn(), parent: extern "C" fn(), child: extern "C" fn()) {
    type Handler = Option<extern "C" fn()>;
    unsafe extern "C" {
        fn pthread_atfork(prepare: Handler, parent: Handler, child: Handler) -> core::ffi::c_int;
    }
    // SAFETY: all are functions without arguments that live as long as the program. The functions registered last are
    // called first, and OpenBLAS registered its own when it was loaded.
    unsafe {
        pthread_atfork(Some(before), Some(parent), Some(child));
    }
}

/// Does nothing: there are no forks on systems other than Unix.
#[cfg(not(unix))]
pub fn at_fork(_before: extern "C" fn(), _parent: extern "C" fn(), _child: extern "C" fn()) {}

/// Registers `handler`, to be called when the process ends, before OpenBLAS gives back the memory of its calls.
#[cfg(unix)]
pub fn at_exit(handler: extern "C" fn()) {
    unsafe extern "C" {
        fn atexit(handler: Option<extern "C" fn()>) -> core::ffi::c_int;
    }
    // SAFETY: it is a function without arguments that lives as long as the program. The functions registered last are
    // called first, and libraries clean up after all of them.
    unsafe {
        atexit(Some(handler));
    }
}

/// Does nothing: on systems other than Unix the end of a process ends its threads first.
#[cfg(not(unix))]
pub fn at_exit(_handler: extern "C" fn()) {}

/// Whether the linked LAPACK has the routines that reduce a matrix to a band (LAPACK 3.4): `?geqrt3`.
pub const BAND_REDUCTION: bool = cfg!(not(accelerate));

/// Symbols with the names of these routines, never called, so that crates which refer to them link.
#[cfg(accelerate)]
mod no_band_reduction {
    macro_rules! missing {
        ($($routine:ident)*) => {
            $(
                #[unsafe(no_mangle)]
                extern "C" fn $routine() {
                    panic!(concat!("this LAPACK has no ", stringify!($routine)));
                }
            )*
        };
    }
    missing!(dgeqrt3_ sgeqrt3_);
}

/// The linked OpenBLAS's configuration and the kind of core that it dispatches to; `None` with another LAPACK.
pub fn config() -> Option<(&'static str, &'static str)> {
    #[cfg(openblas)]
    // SAFETY: both functions return a static string that ends in NUL.
    let config = unsafe {
        let text = |p| core::ffi::CStr::from_ptr(p).to_str().unwrap_or("?");
        Some((text(openblas::openblas_get_config()), text(openblas::openblas_get_corename())))
    };
    #[cfg(not(openblas))]
    let config = None;
    config
}
