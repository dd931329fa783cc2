//! The software bill of materials of the bundled OpenBLAS (CycloneDX 1.5), for `.dist-info/sboms/` of the wheel
//! (PEP 770). maturin writes the one of the crates.
//!
//! Its components are those that the licence of the package `scipy-openblas32` names, in blocks of
//!
//! ```text
//! Name: OpenBLAS
//! Description: bundled as a dynamically linked library
//! Availability: https://github.com/OpenMathLib/OpenBLAS/
//! License: BSD-3-Clause-Attribution
//! ```
//!
//! It holds no time and no random number, so that equal inputs give equal files.

/// The bill of materials of the package `scipy-openblas32` of this version, whose licence is `licence`.
pub fn of_scipy_openblas(version: &str, licence: &str) -> String {
    let components: Vec<String> = blocks(licence).iter().map(|block| component(block, version)).collect();
    format!(
        r#"{{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "version": 1,
  "metadata": {{
    "component": {{
      "type": "library",
      "bom-ref": "scipy-openblas32",
      "name": "scipy-openblas32",
      "version": {version},
      "purl": {purl}
    }}
  }},
  "components": [
{components}
  ]
}}
"#,
        version = quoted(version),
        purl = quoted(&format!("pkg:pypi/scipy-openblas32@{version}")),
        components = components.join(",\n")
    )
}

/// The fields of one block of the licence.
type Block<'a> = Vec<(&'a str, &'a str)>;

fn blocks(licence: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in licence.lines() {
        let Some((field, value)) = line.split_once(": ") else { continue };
        match field {
            "Name" => blocks.push(vec![(field, value.trim())]),
            "Description" | "Availability" | "License" => {
                // The text of a licence may have a line of this form: the first of each field counts.
                if let Some(block) = blocks.last_mut().filter(|block| block.iter().all(|(name, _)| *name != field)) {
                    block.push((field, value.trim()));
                }
            }
            _ => {}
        }
    }
    blocks
}

/// One component as JSON. OpenBLAS has the version of the package up to its third number.
fn component(block: &Block, package_version: &str) -> String {
    let field = |name| block.iter().find(|(field, _)| *field == name).map(|(_, value)| *value);
    let name = field("Name").unwrap_or_default();
    let mut lines = vec![r#""type": "library""#.to_string(), format!(r#""name": {}"#, quoted(name))];
    if name == "OpenBLAS" {
        let version = package_version.split('.').take(3).collect::<Vec<_>>().join(".");
        lines.push(format!(r#""version": {}"#, quoted(&version)));
        lines.push(format!(
            r#""cpe": {}"#,
            quoted(&format!("cpe:2.3:a:openblas_project:openblas:{version}:*:*:*:*:*:*:*"))
        ));
        lines.push(format!(r#""purl": {}"#, quoted(&format!("pkg:github/OpenMathLib/OpenBLAS@v{version}"))));
    }
    if let Some(text) = field("Description") {
        lines.push(format!(r#""description": {}"#, quoted(text)));
    }
    if let Some(licence) = field("License") {
        lines.push(format!(r#""licenses": [{{ "license": {{ "name": {} }} }}]"#, quoted(licence)));
    }
    if let Some(url) = field("Availability") {
        lines.push(format!(r#""externalReferences": [{{ "type": "vcs", "url": {} }}]"#, quoted(url)));
    }
    format!("    {{\n      {}\n    }}", lines.join(",\n      "))
}

/// A string of JSON. Control characters do not occur in a line of text.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}
