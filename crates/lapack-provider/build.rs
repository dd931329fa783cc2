//! Finds a LAPACK and tells rustc to link it. `LAPACK_PROVIDER` chooses:
//!
//! - `scipy-openblas` (default): the PyPI package scipy-openblas32, found through Python, never imported,
//!   or in the folder that `SCIPY_OPENBLAS_LIB_DIR` names (for cross builds);
//! - `pkg-config:NAME`: a system library, such as `pkg-config:openblas` or `pkg-config:mkl-dynamic-lp64-seq`;
//! - `accelerate`: Apple's framework;
//! - `none`: the link flags come from elsewhere (RUSTFLAGS, .cargo/config.toml).

mod bill_of_materials;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const PROBE: &str = "import importlib.util as u, os; s = u.find_spec('scipy_openblas32'); \
                     print(os.path.join(os.path.dirname(s.origin), 'lib') if s and s.origin else '')";

/// The name of the library in the package scipy-openblas32, without prefix and extension.
const THEIR_NAME: &str = "scipy_openblas";
/// The name of our copy of it: as long as theirs, and with `libopenblas` it begins as threadpoolctl expects.
const OUR_NAME: &str = "openblas_dsent";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=bill_of_materials.rs");
    println!("cargo::rerun-if-changed=symbols.txt");
    for name in ["LAPACK_PROVIDER", "SCIPY_OPENBLAS_LIB_DIR", "PYO3_PYTHON", "VIRTUAL_ENV"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    println!("cargo::rustc-check-cfg=cfg(scipy_openblas)");
    println!("cargo::rustc-check-cfg=cfg(openblas)");
    println!("cargo::rustc-check-cfg=cfg(accelerate)");

    let provider = env::var("LAPACK_PROVIDER").unwrap_or_else(|_| "scipy-openblas".into());
    match (provider.as_str(), provider.strip_prefix("pkg-config:")) {
        ("scipy-openblas", _) => link_scipy_openblas(),
        ("accelerate", _) => {
            println!("cargo::rustc-link-lib=framework=Accelerate");
            println!("cargo::rustc-cfg=accelerate");
        }
        ("none", _) => {}
        (_, Some(name)) => link_system_library(name),
        _ => fail(&format!(
            "LAPACK_PROVIDER={provider} is not one of scipy-openblas, pkg-config:NAME, accelerate, none"
        )),
    }
}

fn fail(message: &str) -> ! {
    for line in message.lines() {
        println!("cargo::error={line}");
    }
    std::process::exit(1);
}

fn link_system_library(name: &str) {
    if let Err(error) = pkg_config::Config::new().probe(name) {
        fail(&format!("LAPACK_PROVIDER=pkg-config:{name}, but pkg-config says:\n{error}"));
    }
    if name.contains("openblas") {
        println!("cargo::rustc-cfg=openblas");
    }
}

/// Links a copy of the library under `OUT_DIR`: cargo puts that folder on the library path of tests and benches,
/// maturin packs the copy into the wheel, and it outlives the temporary environment of an isolated pip build.
///
/// The copy has a name of its own, also inside. A loader takes a library of this name that the process has loaded
/// already, from whatever folder, and other packages bundle a `libscipy_openblas` too, of another version.
fn link_scipy_openblas() {
    let lib_dir = find_lib_dir();
    let os = env::var("CARGO_CFG_TARGET_OS").expect("cargo sets the target for build scripts");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR for build scripts"));
    for entry in fs::read_dir(&out).into_iter().flatten().flatten() {
        let _ = fs::remove_file(entry.path()); // of another version of the package
    }
    let link_name = match os.as_str() {
        "windows" => {
            let prefix = if lib_dir.join("libscipy_openblas.lib").exists() { "lib" } else { "" };
            for end in ["lib", "dll"] {
                copy_renamed(&lib_dir, &format!("{prefix}{THEIR_NAME}.{end}"), "dll", &out);
            }
            format!("{prefix}{OUR_NAME}")
        }
        "macos" => {
            sign(&copy_renamed(&lib_dir, &format!("lib{THEIR_NAME}.dylib"), "dylib", &out));
            OUR_NAME.into()
        }
        _ => {
            copy_renamed(&lib_dir, &format!("lib{THEIR_NAME}.so"), "so", &out);
            OUR_NAME.into()
        }
    };
    copy_licence(&lib_dir, &out);
    println!("cargo::rustc-link-search=native={}", out.display());
    println!("cargo::rustc-link-lib=dylib={link_name}");
    println!("cargo::rustc-cfg=scipy_openblas");
    println!("cargo::rustc-cfg=openblas");
    write(&out.join("forward.s"), forwards(&os));
}

/// Copies a file of the package under our name, and puts our name in place of the library's own inside: the SONAME on
/// Linux, the install name on macOS, the DLL that an import library names on Windows. All end in `extension`. Both names
/// have the same length, so nothing in the file moves.
fn copy_renamed(lib_dir: &Path, file: &str, extension: &str, out: &Path) -> PathBuf {
    const { assert!(THEIR_NAME.len() == OUR_NAME.len()) };
    let from = lib_dir.join(file);
    println!("cargo::rerun-if-changed={}", from.display());
    let mut bytes = fs::read(&from).unwrap_or_else(|error| fail(&format!("cannot read {}: {error}", from.display())));
    let name = format!("{THEIR_NAME}.{extension}");
    let places: Vec<usize> = (0..bytes.len().saturating_sub(name.len()))
        .filter(|&at| bytes[at] == name.as_bytes()[0] && bytes[at..].starts_with(name.as_bytes()))
        .collect();
    if places.is_empty() {
        fail(&format!("{} does not hold its own name, {name}: another version of the package?", from.display()));
    }
    for at in places {
        bytes[at..at + OUR_NAME.len()].copy_from_slice(OUR_NAME.as_bytes());
    }
    let to = out.join(file.replace(THEIR_NAME, OUR_NAME));
    write(&to, bytes);
    to
}

/// Signs a changed library, without a certificate. macOS on ARM loads no code whose signature does not fit its bytes.
fn sign(library: &Path) {
    match Command::new("codesign").args(["--force", "--sign", "-"]).arg(library).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => fail(&format!("codesign: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => println!("cargo::warning=codesign: {error}. Sign {} before use", library.display()),
    }
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    if let Err(error) = fs::write(path, bytes) {
        fail(&format!("cannot write {}: {error}", path.display()));
    }
}

/// The wheel bundles OpenBLAS, so it carries OpenBLAS's licence, which is in the package's metadata, and a bill of
/// materials that lists what the library is made of.
fn copy_licence(lib_dir: &Path, out: &Path) {
    let Some((licence, version)) = package_metadata(lib_dir) else {
        println!(
            "cargo::warning=no licence of scipy-openblas32 beside {}: do not distribute a wheel built this way",
            lib_dir.display()
        );
        return;
    };
    match fs::read_to_string(&licence) {
        Ok(text) => {
            write(&out.join("OpenBLAS-LICENSE.txt"), &text);
            write(&out.join("openblas.cdx.json"), bill_of_materials::of_scipy_openblas(&version, &text));
        }
        Err(error) => fail(&format!("cannot read {}: {error}", licence.display())),
    }
}

/// The path of the licence of the package whose library folder this is, and its version.
fn package_metadata(lib_dir: &Path) -> Option<(PathBuf, String)> {
    let site_packages = lib_dir.parent()?.parent()?;
    fs::read_dir(site_packages).ok()?.flatten().find_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let version = name.strip_prefix("scipy_openblas32-")?.strip_suffix(".dist-info")?;
        let licences = ["licenses/LICENSE.txt", "LICENSE.txt"].map(|file| entry.path().join(file));
        Some((licences.into_iter().find(|path| path.exists())?, version.to_string()))
    })
}

fn find_lib_dir() -> PathBuf {
    if let Ok(folder) = env::var("SCIPY_OPENBLAS_LIB_DIR") {
        return folder.into();
    }
    let mut tried = Vec::new();
    for python in pythons() {
        match Command::new(&python).args(["-c", PROBE]).output() {
            Ok(output) if output.status.success() => {
                let folder = String::from_utf8_lossy(&output.stdout).trim().to_string();
                if !folder.is_empty() {
                    return folder.into();
                }
                tried.push(format!("  {}: no scipy_openblas32", python.display()));
            }
            Ok(output) => tried.push(format!("  {}: {}", python.display(), output.status)),
            Err(error) => tried.push(format!("  {}: {error}", python.display())),
        }
    }
    fail(&format!(
        "LAPACK not found: no Python that was tried has the package scipy-openblas32:\n{}\n\
         Install it with `pip install scipy-openblas32` into the active virtual environment (or into the interpreter\n\
         that PYO3_PYTHON names), or set SCIPY_OPENBLAS_LIB_DIR to its lib folder, or choose another LAPACK:\n\
         LAPACK_PROVIDER=pkg-config:openblas (Debian: libopenblas-dev), LAPACK_PROVIDER=accelerate (macOS).",
        tried.join("\n")
    ));
}

fn pythons() -> Vec<PathBuf> {
    let in_environment = |root: String| {
        let root = PathBuf::from(root);
        if cfg!(windows) { root.join("Scripts/python.exe") } else { root.join("bin/python") }
    };
    let named = env::var("PYO3_PYTHON").ok().map(PathBuf::from);
    let active = env::var("VIRTUAL_ENV").ok().map(in_environment);
    named.into_iter().chain(active).chain(["python3".into(), "python".into()]).collect()
}

/// One tail jump a routine: any signature passes through unchanged, and hidden visibility keeps the plain names
/// out of the extension's exports, where they could meet another LAPACK of the process.
fn forwards(os: &str) -> String {
    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets the target for build scripts");
    let jump = match (arch.as_str(), os) {
        ("x86_64", "macos" | "windows") => "jmp {target}",
        ("x86_64", _) => "jmp {target}@PLT",
        ("aarch64", _) => "b {target}",
        ("riscv64", _) => "tail {target}@plt",
        _ => fail(&format!("no jump instruction known for {arch}: set LAPACK_PROVIDER=pkg-config:openblas")),
    };
    let frame = match os {
        "macos" => ".text\n.private_extern {symbol}\n.globl {symbol}\n.p2align 2\n{symbol}:\n\t{jump}\n",
        "windows" => ".text\n.globl {symbol}\n.p2align 4\n{symbol}:\n\t{jump}\n",
        _ => {
            ".section .text.{symbol},\"ax\",@progbits\n.globl {symbol}\n.hidden {symbol}\n\
              .type {symbol},@function\n.p2align 4\n{symbol}:\n\t{jump}\n.size {symbol}, . - {symbol}\n"
        }
    };
    let end = match os {
        "macos" => ".subsections_via_symbols\n",
        "windows" => "",
        _ => ".text\n",
    };
    let underscore = if os == "macos" { "_" } else { "" };
    let list = fs::read_to_string("symbols.txt").expect("symbols.txt lies beside build.rs");
    let names = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    names
        .map(|name| {
            frame
                .replace("{jump}", jump)
                .replace("{target}", &format!("{underscore}scipy_{name}"))
                .replace("{symbol}", &format!("{underscore}{name}"))
        })
        .chain([end.to_string()])
        .collect()
}
