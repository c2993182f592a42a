//! What is between the serial line and the server: it connects for each request, as the image speaks HTTP/1.0.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

/// Starts one for one image, and gives the address that its serial port connects to.
pub(crate) fn start(server: String) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    thread::spawn(move || relay(&listener, &server));
    address
}

/// Until the image ends.
fn relay(listener: &TcpListener, server: &str) -> io::Result<()> {
    let (line, _) = listener.accept()?;
    let mut heard = BufReader::new(&line);
    loop {
        let request = request(&mut heard)?;
        let mut connection = TcpStream::connect(server)?;
        connection.write_all(&request)?;
        io::copy(&mut connection, &mut &line)?;
    }
}

/// Reads a request to the end of its body.
pub(crate) fn request(heard: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let (mut request, mut length) = (Vec::new(), 0);
    loop {
        let begin = request.len();
        if heard.read_until(b'\n', &mut request)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let field = std::str::from_utf8(&request[begin..]).map_err(io::Error::other)?.trim_end();
        if let Some(value) = field.strip_prefix("content-length: ") {
            length = value.parse().map_err(io::Error::other)?;
        }
        if field.is_empty() {
            heard.take(length).read_to_end(&mut request)?;
            return Ok(request);
        }
    }
}
