//! PostgreSQL's programs on this machine -> [`Programs`], which `cluster` runs.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const NEEDED: [&str; 5] = ["initdb", "pg_basebackup", "pg_ctl", "postgres", "psql"];

/// What the verifier promises to run on.
const OLDEST: u32 = 15;

/// Where PostgreSQL's programs are, and the user they run as.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
    /// User and group, where it must be another than ours.
    user: Option<(u32, u32)>,
}

impl Programs {
    /// Finds the programs of PostgreSQL 15 or newer: where `pg_config` says, on PATH, and where Debian, Red Hat,
    /// Homebrew and Postgres.app put them.
    ///
    /// # Errors
    /// A sentence that says what to install.
    pub fn find() -> Result<Programs, String> {
        if !cfg!(unix) {
            return Err("throw-away PostgreSQL clusters are made on Linux and macOS only".to_owned());
        }
        if said(Command::new("ps").args(["-A", "-o", "pid="])).is_none() {
            return Err("install `ps`; on Debian: `apt-get install procps`".to_owned());
        }
        Ok(Programs { folder: first_good(folders())?, user: user()? })
    }

    /// The same for tests, which go on without: says on standard error what is not tested, and why.
    pub fn find_or_tell(what: &str) -> Option<Programs> {
        let found = Programs::find();
        if let Err(sentence) = &found {
            // Not eprintln, which a passing test swallows.
            let _ = writeln!(std::io::stderr(), "NOT TESTED: {what}: {sentence}");
        }
        found.ok()
    }

    /// Where one of them is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Any program, to be run as the user PostgreSQL is content with.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        // Our folder may be closed to that user.
        command.current_dir("/").stdin(Stdio::null());
        // Nothing of whoever uses PostgreSQL here in earnest; and messages that can be read for what went wrong.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C");
        #[cfg(unix)]
        if let Some((user, group)) = self.user {
            std::os::unix::process::CommandExt::uid(&mut command, user);
            std::os::unix::process::CommandExt::gid(&mut command, group);
        }
        command
    }

    /// A new folder of that user, which nobody else may enter.
    pub(crate) fn new_folder(&self) -> Result<PathBuf, String> {
        let mut folders = (0..).map(|number: u32| format!("throwaway-postgres-{}-{number}", std::process::id()));
        let folder = loop {
            let name = folders.next().ok_or("every name for a folder is taken")?;
            let folder = std::env::temp_dir().join(name);
            let mut builder = std::fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            match builder.create(&folder) {
                Ok(()) => break folder,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(format!("{} cannot be made: {error}", folder.display())),
            }
        };
        #[cfg(unix)]
        if let Some((user, group)) = self.user {
            std::os::unix::fs::chown(&folder, Some(user), Some(group))
                .map_err(|error| format!("{} cannot be given to `postgres`: {error}", folder.display()))?;
        }
        Ok(folder)
    }
}

/// The first folder that has all programs, of a version that will do.
fn first_good(folders: Vec<PathBuf>) -> Result<PathBuf, String> {
    let complete = |folder: &PathBuf| NEEDED.iter().all(|name| folder.join(name).is_file());
    let folders: Vec<PathBuf> = folders.into_iter().filter(complete).collect();
    let version = |folder: &Path| version(&said(Command::new(folder.join("postgres")).arg("--version"))?);
    let good = folders.iter().find(|folder| version(folder).is_some_and(|version| version >= OLDEST));
    good.cloned().ok_or_else(|| {
        let old = folders.first().map(|folder| format!("; that in {} is too old", folder.display()));
        format!(
            "install the server of PostgreSQL {OLDEST} or newer, or put its programs on PATH; on Debian: `apt-get \
             install postgresql`{}",
            old.unwrap_or_default()
        )
    })
}

/// Where to look, in this order.
fn folders() -> Vec<PathBuf> {
    let configured = said(Command::new("pg_config").arg("--bindir")).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = configured.into_iter().chain(std::env::split_paths(&path)).collect();
    folders.extend(below("/usr/lib/postgresql", "", "bin"));
    folders.extend(below("/usr", "pgsql-", "bin"));
    folders.extend(below("/opt/homebrew/opt", "postgresql", "bin"));
    folders.extend(below("/usr/local/opt", "postgresql", "bin"));
    folders.extend(below("/Applications/Postgres.app/Contents/Versions", "", "bin"));
    folders.iter().filter_map(|folder| folder.canonicalize().ok()).collect()
}

/// `rest` in each folder of `parent` whose name begins so, the newest version first.
fn below(parent: &str, beginning: &str, rest: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(beginning));
    let mut folders: Vec<PathBuf> = named.map(|entry| entry.path().join(rest)).collect();
    folders.sort();
    folders.reverse();
    folders
}

/// The first number in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` or `postgres (PostgreSQL) 18beta1`.
fn version(text: &str) -> Option<u32> {
    let (_, version) = text.split_once("(PostgreSQL) ")?;
    version.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

/// PostgreSQL refuses to run as root; its packages bring a user for it.
fn user() -> Result<Option<(u32, u32)>, String> {
    let id = |arguments: &[&str]| said(Command::new("id").args(arguments))?.parse::<u32>().ok();
    if id(&["-u"]) != Some(0) {
        return Ok(None);
    }
    match (id(&["-u", "postgres"]), id(&["-g", "postgres"])) {
        (Some(user), Some(group)) => Ok(Some((user, group))),
        _ => Err("PostgreSQL refuses to run as root, and there is no user `postgres` to run it as: add one, or run \
                  this as another user"
            .to_owned()),
    }
}

fn said(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::{NEEDED, first_good, version};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_version_is_read_of_every_build() {
        assert_eq!(version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(version("postgres (PostgreSQL) 9.6.24"), Some(9));
        assert_eq!(version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(version("command not found"), None);
    }

    #[test]
    fn only_a_whole_server_that_is_new_enough_will_do() -> std::io::Result<()> {
        let folder = std::env::temp_dir().join(format!("old-postgres-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        let sentence = "install the server of PostgreSQL 15 or newer, or put its programs on PATH; on Debian: `apt-get \
                        install postgresql`";
        // A client without a server.
        std::fs::write(folder.join("psql"), "")?;
        let missing = first_good(vec![folder.clone()]);

        for name in NEEDED {
            std::fs::write(folder.join(name), "#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n")?;
            std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755))?;
        }
        let old = first_good(vec![folder.clone()]);
        std::fs::remove_dir_all(&folder)?;
        assert_eq!(missing, Err(sentence.to_owned()));
        assert_eq!(old, Err(format!("{sentence}; that in {} is too old", folder.display())));
        Ok(())
    }
}
