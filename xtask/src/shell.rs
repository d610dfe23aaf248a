//! Running other programs, and saying so.

use anyhow::{Context, Result, bail};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The workspace's folder.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// The folder cargo builds into.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// A program to be run in the workspace's folder.
pub(crate) fn program<A: AsRef<OsStr>>(name: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    if let Some(path) = search_path() {
        command.env("PATH", path);
    }
    command
}

/// PATH, and behind it the folder into which `cargo install` puts programs, which need not be on it.
fn search_path() -> Option<OsString> {
    let path = std::env::var_os("PATH")?;
    std::env::join_paths(std::env::split_paths(&path).chain([cargo_home()?.join("bin")])).ok()
}

/// The folder cargo keeps its own files in.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

/// The cargo that runs this task.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    program("cargo", arguments)
}

/// Runs a command, showing it and what it prints.
///
/// # Errors
/// It cannot be started, or ends with another code than 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", line_of(command));
    let status = command.status().with_context(|| format!("`{}` cannot be run", name_of(command)))?;
    if !status.success() {
        bail!("`{}` failed", line_of(command));
    }
    Ok(())
}

/// What a command prints; its errors go where ours go.
///
/// # Errors
/// It cannot be started, or ends with another code than 0.
pub(crate) fn printed_by(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("`{}` cannot be run", name_of(command)))?;
    if !output.status.success() {
        bail!("`{}` failed", line_of(command));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a command prints, its errors thrown away; `None` where it cannot be run or fails.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Where on PATH the first of some programs is.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    names.iter().find_map(|name| {
        folders
            .iter()
            .map(|folder| folder.join(name).with_extension(std::env::consts::EXE_EXTENSION))
            .find(|path| path.is_file())
    })
}

fn name_of(command: &Command) -> String {
    Path::new(command.get_program()).file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned()
}

fn line_of(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    std::iter::once(name_of(command).into()).chain(arguments).collect::<Vec<_>>().join(" ")
}
