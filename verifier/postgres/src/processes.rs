//! The process of a postmaster -> an end as sudden as that of its machine. `cluster` calls it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Ends a process and all its children before any of them can see another gone.
///
/// A postmaster killed alone leaves children that see it and end in their own way, some after having answered: a
/// machine that dies does not. Signals to a group do not reach them, since each is a group of its own.
pub(crate) fn kill_with_children(parent: u32) -> Result<(), String> {
    let parent = parent.to_string();
    signal("STOP", std::slice::from_ref(&parent));
    // Only when it has stopped can it have no more children than those that are seen.
    let children = wait_until("its postmaster does not stand still", Duration::from_secs(10), || {
        let processes = processes()?;
        let stopped = processes.iter().any(|process| process.id == parent && process.state.starts_with('T'));
        let children = processes.into_iter().filter(|process| process.parent == parent);
        Ok(stopped.then(|| children.map(|child| child.id).collect::<Vec<_>>()))
    })?;
    signal("KILL", &[&children[..], std::slice::from_ref(&parent)].concat());
    wait_until("its processes do not end", Duration::from_secs(10), || {
        let processes = processes()?;
        // What has ended and was not asked about may be listed for ever.
        let mut alive = processes.iter().filter(|process| !process.state.starts_with('Z'));
        let left = alive.any(|process| children.contains(&process.id) || process.id == parent);
        Ok((!left).then_some(()))
    })
}

struct Process {
    id: String,
    parent: String,
    state: String,
}

fn processes() -> Result<Vec<Process>, String> {
    let output = Command::new("ps").args(["-A", "-o", "pid=", "-o", "ppid=", "-o", "stat="]).output();
    let output = output.map_err(|error| format!("`ps` cannot be run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let process = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        Some(Process { id: words.next()?, parent: words.next()?, state: words.next()? })
    };
    Ok(text.lines().filter_map(process).collect())
}

/// Whether they got it is seen in [`processes`]: one may just have ended by itself.
fn signal(name: &str, processes: &[String]) {
    let mut kill = Command::new("sh");
    kill.args(["-c", "kill -s \"$0\" \"$@\"", name]).args(processes).stderr(Stdio::null());
    let _ = kill.status();
}

/// Asks again and again; the sentence is told when time is up.
pub(crate) fn wait_until<T>(
    sentence: &str,
    within: Duration,
    mut ask: impl FnMut() -> Result<Option<T>, String>,
) -> Result<T, String> {
    let deadline = Instant::now() + within;
    loop {
        match ask()? {
            Some(answer) => return Ok(answer),
            None if Instant::now() > deadline => return Err(format!("{sentence} within {} s", within.as_secs())),
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}
