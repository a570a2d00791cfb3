//! Every page that the program writes, looked at in headless Chromium at desktop and phone width.
//!
//! Without Chromium on the machine nothing is looked at; `.ci/run` installs it and says that it has to be there.

use crate::rig::blindtier;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Chromium, if it is here.
fn browser() -> Option<PathBuf> {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(|name| {
        std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    });
    let required = std::env::var_os("BLINDTIER_BROWSER").is_some();
    assert!(found.is_some() || !required, "Chromium has to be installed and is not");
    found
}

fn chromium(browser: &Path, profile: &Path, arguments: &[&str]) -> (String, String) {
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            // Only so that the frame around a page may measure it.
            "--allow-file-access-from-files",
            "--disable-web-security",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Shows a page in a frame of this width; gives how wide and how high its content is.
fn measured(browser: &Path, folder: &Path, page: &Path, width: u32) -> (u32, u32) {
    let frame = folder.join("frame.html");
    let html = format!(
        "<!doctype html><title>frame</title><iframe style='border:0;width:{width}px;height:900px' \
         src='file://{}' onload='const e = this.contentDocument.documentElement; \
         document.title = e.scrollWidth + \" \" + e.scrollHeight'></iframe>",
        page.display()
    );
    std::fs::write(&frame, html).unwrap();
    let address = format!("file://{}", frame.display());
    let (dom, errors) = chromium(
        browser,
        &folder.join("profile"),
        &["--virtual-time-budget=4000", "--window-size=1400,1000", "--dump-dom", &address],
    );
    // What a page's own content policy refuses, or a script that fails, is said on the console.
    assert!(!errors.contains("CONSOLE"), "{}: {errors}", page.display());
    let title = dom.split("<title>").nth(1).unwrap().split('<').next().unwrap();
    let sizes: Vec<u32> = title.split(' ').map(|n| n.parse().unwrap()).collect();
    (sizes[0], sizes[1])
}

/// A picture of the page at this width, in pixels.
fn picture(browser: &Path, folder: &Path, page: &Path, width: u32) -> Vec<u8> {
    let file = folder.join("picture.png");
    let (size, shot) =
        (format!("--window-size={width},1200"), format!("--screenshot={}", file.display()));
    let address = format!("file://{}", page.display());
    chromium(browser, &folder.join("profile"), &[&size, &shot, &address]);
    std::fs::read(file).unwrap()
}

#[test]
fn every_page_fits_desktop_and_phone_and_has_no_error() {
    let Some(browser) = browser() else {
        eprintln!("no Chromium here: pages are not looked at");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let call = blindtier(["synth", "--families", "3000", "--out", &text(&at("population"))]);
    assert_eq!(call.code, 0, "{}", call.stderr);
    let call = blindtier([
        "simulate",
        "digital-family-card",
        "--data",
        &text(&at("population")),
        "--against",
        "digital-family-card",
        "--out",
        &text(&at("simulation")),
    ]);
    assert_eq!(call.code, 0, "{}", call.stderr);
    let call = blindtier([
        "demo",
        "--engine",
        "bfv",
        "--linkage",
        "keyed-hash",
        "--policy",
        "nursery",
        "--families",
        "300",
        "--statistics",
        "3",
        "--report",
        &text(&at("round.html")),
        "--json",
    ]);
    assert_eq!(call.code, 0, "{}", call.stderr);
    let letters = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/letters");
    let mut pages = vec![at("simulation/report.html"), at("round.html")];
    for entry in std::fs::read_dir(letters).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "html") {
            pages.push(path);
        }
    }
    assert!(pages.len() >= 5, "{pages:?}");
    for page in &pages {
        for width in [1280, 390] {
            let (wide, high) = measured(&browser, folder.path(), page, width);
            assert!(wide <= width, "{}: {wide} pixels wide at {width}", page.display());
            assert!(high > 400, "{}: {high} pixels high", page.display());
        }
    }
    // A page without its style or its charts compresses to next to nothing.
    for page in pages.iter().take(2) {
        for width in [1280, 390] {
            let bytes = picture(&browser, folder.path(), page, width);
            assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 15_000, "{}", page.display());
        }
    }
}
