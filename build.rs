//! Tells the loader that the extension's LAPACK lies beside it, in the same folder of the wheel.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("windows") => {}
        Ok("macos") => println!("cargo::rustc-link-arg-cdylib=-Wl,-rpath,@loader_path"),
        _ => println!("cargo::rustc-link-arg-cdylib=-Wl,-rpath,$ORIGIN"),
    }
}
