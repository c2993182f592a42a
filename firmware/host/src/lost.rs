//! What ends a run: answers after which nobody knows where the next one would begin.

use crate::login::field;
use crate::machine::Machine;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::thread;

pub(crate) fn run(image: &Path) {
    let token = r#"{"access_token":"a","token_type":"Bearer"}"#;
    let length = token.len();
    for (name, head, word) in [
        ("no length", "HTTP/1.1 200 OK\r\n".to_owned(), "garbled"),
        (
            "two lengths",
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nContent-Length: {length}\r\n"),
            "garbled",
        ),
        (
            "a length and chunks",
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\ntransfer-encoding: chunked\r\n"),
            "garbled",
        ),
        ("a signed length", format!("HTTP/1.1 200 OK\r\ncontent-length: +{length}\r\n"), "garbled"),
        ("an interim answer", format!("HTTP/1.1 100 Continue\r\ncontent-length: {length}\r\n"), "garbled"),
        ("another version", format!("HTTP/2 200 OK\r\ncontent-length: {length}\r\n"), "garbled"),
        ("a head without end", format!("HTTP/1.1 200 OK\r\nx: {}\r\n", "a".repeat(4096)), "garbled"),
        ("a length that is too long", format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", length + 1), "silent"),
    ] {
        let answer = format!("{head}content-type: application/json\r\n\r\n{token}");
        refuse(image, answer, &format!("refused: {word}"));
        println!("{name}: the line is given up ({word})");
    }
}

/// A session with a server whose only answer is this.
fn refuse(image: &Path, answer: String, outcome: &str) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let authority = listener.local_addr().expect("it is bound").to_string();
    let mut machine = Machine::start(image, &authority);
    let (connection, _) = listener.accept().expect("the serial port connects");
    let server = thread::spawn(move || {
        let mut request = BufReader::new(&connection).lines();
        let first = request.next().expect("a request comes").expect("it is text");
        let end = request.find(|line| line.as_ref().is_ok_and(String::is_empty));
        assert!(end.is_some());
        (&connection).write_all(answer.as_bytes()).expect("the serial port listens");
        (first, connection)
    });
    machine.enter(&format!("http://{authority}/authorize http://{authority}/token http://{authority}"));
    let line = machine.line();
    let state = field(line.split_once('?').expect("it has a query").1, "state");
    machine.enter(&format!("https://app.example/paste?code=c&state={state}&iss=http://{authority}"));
    machine.expect(&[outcome]);
    assert!(!machine.ended_well(), "it goes on with a line that is lost");
    let (first, _) = server.join().expect("the request was read");
    assert_eq!(first, "POST /token HTTP/1.0");
}
