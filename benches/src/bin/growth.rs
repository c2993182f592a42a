//! How the time of each parser grows with its input: once, ten times and a hundred times as much of it.
//!
//! `cargo run --profile bench -p proofkey-benches --bin growth`. Linear is a time per byte that does not grow.

use proofkey_benches::fixtures::{client, pending, redirect, token_request};
use proofkey_core::loopback::{Connection, Verdict};
use proofkey_core::{Redirect, Response, challenges};
use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() {
    println!("{:<16} {:>9} {:>12} {:>12}", "parser", "bytes", "ns", "ns / byte");
    for times in [100, 1000, 10_000] {
        let body =
            format!(r#"{{{}"access_token":"a","token_type":"Bearer"}}"#, r#""other":[1,{"a":"b\n"}],"#.repeat(times));
        row("token response", body.len(), || {
            let mut body = body.as_bytes().to_vec();
            let request = token_request();
            time(|| request.read(response(&mut body)).is_ok())
        });
    }
    for times in [10, 100, 1000] {
        let url = format!("{}{}", redirect(), "&other=a%20b+c".repeat(times));
        row("callback", url.len(), || {
            let pending = pending();
            time(|| pending.accept(client(), Redirect::Url(&url)).is_ok())
        });
    }
    for times in [10, 100, 1000] {
        let field = format!("Bearer a=\"b\"{}", r#", other="c \"d\"""#.repeat(times));
        row("challenge", field.len(), || time(|| challenges(&field).count() == 1));
    }
    let login = pending();
    let target = redirect().strip_prefix("http://127.0.0.1:49152").expect("the redirect is at the origin");
    for times in [5, 50, 500] {
        let value = "a value, ".repeat(times);
        let fields = format!("Other: {value}\r\n").repeat(10);
        let head = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:49152\r\n{fields}\r\n");
        row("head", head.len(), || {
            time(|| matches!(Connection::new().read(head.as_bytes(), client(), &login), Verdict::Callback(_)))
        });
    }
}

/// # Panics
/// Where an input is refused: then it is not read to its end.
fn time(read: impl FnOnce() -> bool) -> Duration {
    let begun = Instant::now();
    let read = black_box(read());
    let time = begun.elapsed();
    assert!(read, "the input is good");
    time
}

/// Prints the median of many.
fn row(parser: &str, bytes: usize, mut once: impl FnMut() -> Duration) {
    let mut times: Vec<Duration> = (0..301).map(|_| once()).collect();
    let (_, median, _) = times.select_nth_unstable(150);
    let time = median.as_nanos() as f64;
    println!("{parser:<16} {bytes:>9} {time:>12.0} {:>12.2}", time / bytes as f64);
}

fn response(body: &mut [u8]) -> Response<'_> {
    Response::new(200, body).with_header("content-type", "application/json")
}
