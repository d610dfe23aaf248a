//! Programs that answer cases, one a line.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// How long an answer may take. What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Door {
    name: String,
    command: Vec<String>,
    running: Option<Running>,
}

struct Running {
    child: Child,
    answers: Receiver<String>,
}

impl Door {
    pub fn new(name: &str, command: &[String]) -> Door {
        Door { name: name.to_owned(), command: command.to_owned(), running: None }
    }

    /// The answers to some cases, in order. A door that ends or hangs has answered so, and is started again for the rest.
    fn ask(&mut self, lines: &[String]) -> Vec<String> {
        let mut answers = Vec::new();
        while answers.len() < lines.len() {
            let rest = &lines[answers.len()..];
            let running = self.running.get_or_insert_with(|| start(&self.command));
            answers.extend(running.ask(rest));
            if answers.len() < lines.len() {
                let why = self.stop();
                eprintln!("{}: {why}", self.name);
                answers.push(format!("no answer: {why}"));
            }
        }
        answers
    }

    /// Ends it, and says what became of it.
    fn stop(&mut self) -> String {
        let Some(mut running) = self.running.take() else { return "it did not run".into() };
        match running.child.try_wait() {
            Ok(Some(status)) => format!("it ended ({status})"),
            _ => {
                let _ = running.child.kill();
                let _ = running.child.wait();
                format!("it said nothing for {} s", PATIENCE.as_secs())
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some(Running { mut child, .. }) = self.running.take() {
            drop(child.stdin.take()); // the end of its input is the end of its work
            let _ = child.wait();
        }
    }
}

fn start(command: &[String]) -> Running {
    let mut child = Command::new(&command[0]);
    child.args(&command[1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = child.spawn().unwrap_or_else(|why| panic!("`{}` cannot be run: {why}", command.join(" ")));
    let output = BufReader::new(child.stdout.take().unwrap());
    let (send, answers) = channel();
    thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    Running { child, answers }
}

impl Running {
    /// As many answers as come.
    fn ask(&mut self, lines: &[String]) -> Vec<String> {
        let Some(mut input) = self.child.stdin.take() else { return Vec::new() };
        thread::scope(|scope| {
            // Apart, for a door may answer before it has read everything.
            let writing = scope.spawn(move || {
                let written = lines.iter().try_for_each(|line| writeln!(input, "{line}")).and_then(|()| input.flush());
                written.is_ok().then_some(input)
            });
            let answers = lines.iter().map_while(|_| self.answers.recv_timeout(PATIENCE).ok()).collect::<Vec<_>>();
            if answers.len() < lines.len() {
                let _ = self.child.kill(); // so that writing ends, too
            }
            self.child.stdin = writing.join().unwrap();
            answers
        })
    }
}

/// The answers of every door to every case; all doors work at once.
pub fn ask_all(doors: &mut [Door], cases: &[Value]) -> Vec<Vec<String>> {
    let lines: Vec<String> = cases.iter().map(Value::to_string).collect();
    thread::scope(|scope| {
        let asking: Vec<_> = doors.iter_mut().map(|door| scope.spawn(|| door.ask(&lines))).collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
