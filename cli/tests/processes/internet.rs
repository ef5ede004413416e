//! Hosts in network namespaces of their own, and a network between them that delays, loses and cuts as it is told.
//!
//! Each host has one TUN device. `internet.py` holds the other ends and carries the packets, so what happens to
//! them is in one place, and the lost ones are drawn from a seed.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The program that carries the packets, beside this file.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/processes/internet.py");

/// The network, with the namespaces of its hosts, which end with it.
pub(crate) struct Internet {
    program: Child,
    lines: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
    hosts: Vec<Host>,
}

/// A host.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// The names of its namespace and its device.
    name: String,
    number: usize,
}

/// Whether namespaces can be made here: by root, with `ip`, Python and TUN devices.
pub(crate) fn available() -> bool {
    let ip = Command::new("ip").arg("-V").output().is_ok_and(|output| output.status.success());
    let python = Command::new("python3").arg("-V").output().is_ok_and(|output| output.status.success());
    let missing = [
        (!rustix::process::geteuid().is_root(), "the rights of root"),
        (!ip, "iproute2"),
        (!python, "python3"),
        (!std::path::Path::new("/dev/net/tun").exists(), "/dev/net/tun"),
    ];
    let missing: Vec<&str> = missing.into_iter().filter_map(|(missing, what)| missing.then_some(what)).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(std::env::var_os("ENTENTE_CI").is_none(), "hosts need {}", missing.join(", "));
    println!("skipped: hosts need {}", missing.join(", "));
    false
}

impl Internet {
    /// A perfect network with so many hosts.
    pub(crate) fn between(count: usize) -> Internet {
        let name = |number: usize| Host { name: format!("ent{}h{number}", std::process::id()), number };
        let hosts: Vec<Host> = (0..count).map(name).collect();
        let mut program = Command::new("python3");
        program.arg(PROGRAM).arg("entente").args(hosts.iter().map(|host| &host.name));
        let mut program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = (program.stdin.take().unwrap(), BufReader::new(program.stdout.take().unwrap()));
        let internet = Internet { program, lines: RefCell::new(lines), hosts };
        internet.done();
        for host in &internet.hosts {
            let name = host.name.as_str();
            ip(&["netns", "add", name]);
            ip(&["link", "set", name, "netns", name]);
            host.ip(&["link", "set", "lo", "up"]);
            host.ip(&["link", "set", name, "up"]);
            internet.live_at(host, 0);
        }
        internet
    }

    /// The hosts, in the order of their numbers.
    pub(crate) fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Gives a host an address elsewhere, instead of the one it had. All are from the network that is reserved for
    /// measures between networks (RFC 2544).
    pub(crate) fn live_at(&self, host: &Host, place: u8) {
        let address = host.address(place);
        host.ip(&["addr", "flush", "dev", &host.name]);
        host.ip(&["addr", "add", &format!("{address}/15"), "dev", &host.name]);
        self.tell(&format!("at {} {address}", host.name));
    }

    /// Seconds that each packet travels, and the share that gets lost.
    pub(crate) fn worsen(&self, delay: f64, loss: f64, bytes_per_second: f64) {
        self.tell(&format!("delay {delay}"));
        self.tell(&format!("loss {loss}"));
        self.tell(&format!("rate {bytes_per_second}"));
    }

    /// Of each pair of numbers, nothing goes from the first host to the second.
    pub(crate) fn cut(&self, ways: &[(usize, usize)]) {
        self.tell_ways("cut", ways);
    }

    /// It does again.
    pub(crate) fn mend(&self, ways: &[(usize, usize)]) {
        self.tell_ways("mend", ways);
    }

    fn tell_ways(&self, word: &str, ways: &[(usize, usize)]) {
        for (from, to) in ways {
            self.tell(&format!("{word} {} {}", self.hosts[*from].name, self.hosts[*to].name));
        }
    }

    /// No UDP from or to a host.
    pub(crate) fn block_udp(&self, host: &Host) {
        self.tell(&format!("block-udp {}", host.name));
    }

    /// UDP again.
    pub(crate) fn allow_udp(&self, host: &Host) {
        self.tell(&format!("allow-udp {}", host.name));
    }

    fn tell(&self, command: &str) {
        writeln!(self.lines.borrow_mut().0, "{command}").unwrap();
        self.done();
    }

    fn done(&self) {
        let mut line = String::new();
        self.lines.borrow_mut().1.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
    }
}

impl Drop for Internet {
    fn drop(&mut self) {
        for host in &self.hosts {
            let _ended = Command::new("ip").args(["netns", "del", &host.name]).status();
        }
        let _ended = self.program.kill().and_then(|()| self.program.wait());
    }
}

impl Host {
    /// The IPv4 address it has in a network.
    pub(crate) fn address(&self, place: u8) -> String {
        format!("198.18.{place}.{}", self.number + 1)
    }

    /// A program that is to run there.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Does something there; threads that it starts stay there.
    pub(crate) fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        let place = File::open(format!("/run/netns/{}", self.name)).unwrap();
        let moved = || {
            move_into_link_name_space(std::os::fd::AsFd::as_fd(&place), Some(LinkNameSpaceType::Network)).unwrap();
            act()
        };
        thread::scope(|scope| scope.spawn(moved).join().unwrap())
    }

    fn ip(&self, args: &[&str]) {
        ip(&[&["-n", &self.name], args].concat());
    }
}

fn ip(args: &[&str]) {
    let output = Command::new("ip").args(args).output().unwrap();
    assert!(output.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}
