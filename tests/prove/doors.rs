//! Programs that answer cases, one a line.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
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
            let running = self.running.get_or_insert_with(|| start(&self.command));
            if let Err(why) = running.ask(&lines[answers.len()..], &mut answers) {
                eprintln!("{}: {why}", self.name);
                answers.push(format!("no answer: {why}"));
                self.running = None;
            }
        }
        answers
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.stdin.take()); // the end of its input is the end of its work
        let _ = self.child.wait();
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
    /// Adds an answer to each line, as far as they come; an error says why there are no more.
    fn ask(&mut self, lines: &[String], answers: &mut Vec<String>) -> Result<(), String> {
        let mut input = self.child.stdin.take().ok_or("it takes no more")?;
        thread::scope(|scope| {
            // Apart, for a door may answer before it has read everything.
            let writing = scope.spawn(move || {
                let written = lines.iter().try_for_each(|line| writeln!(input, "{line}")).and_then(|()| input.flush());
                written.is_ok().then_some(input)
            });
            let read = lines.iter().try_for_each(|_| {
                answers.push(self.answers.recv_timeout(PATIENCE).map_err(|why| match why {
                    RecvTimeoutError::Disconnected => "it ended".to_owned(),
                    RecvTimeoutError::Timeout => format!("it said nothing for {} s", PATIENCE.as_secs()),
                })?);
                Ok(())
            });
            if read.is_err() {
                let _ = self.child.kill(); // so that writing ends, too
            }
            self.child.stdin = writing.join().unwrap();
            read
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

#[cfg(test)]
mod tests {
    use super::{Door, ask_all};
    use serde_json::json;

    #[test]
    fn a_door_that_ends_has_answered_so_and_goes_on_with_the_rest() {
        let shell = |script: &str| Door::new("shell", &["sh", "-c", script].map(str::to_owned));
        let mut doors = [shell("cat"), shell("read -r one; echo first; exit 3")];
        let answers = ask_all(&mut doors, &[json!(1), json!(2), json!(3)]);
        assert_eq!(answers, [["1", "2", "3"], ["first", "no answer: it ended", "first"]]);
    }
}
