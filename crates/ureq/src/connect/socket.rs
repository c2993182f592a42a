//! [`Socket`]: a TCP connection as `ureq` uses it. Its own transport cannot be made from a connected socket.

use super::{left, race, time_left};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, LazyBuffers, NextTimeout, Transport};

#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    buffers: LazyBuffers,
}

impl Socket {
    pub(crate) fn connect(addresses: &[SocketAddr], details: &ConnectionDetails<'_>) -> Result<Self, Error> {
        let stream = race::connect(addresses, *time_left(details)?.after).map_err(|error| {
            if error.kind() == ErrorKind::TimedOut { Error::Timeout(details.timeout.reason) } else { error.into() }
        })?;
        if details.config.no_delay() {
            stream.set_nodelay(true)?;
        }
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Self { stream, buffers })
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        let start = Instant::now();
        let mut output = self.buffers.output().get(..amount).unwrap_or_default();
        while !output.is_empty() {
            set_limit(left(timeout, start)?, |limit| self.stream.set_write_timeout(limit))?;
            match self.stream.write(output) {
                Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                Ok(length) => output = output.get(length..).unwrap_or_default(),
                Err(error) => is_over(error, timeout)?,
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let start = Instant::now();
        loop {
            set_limit(left(timeout, start)?, |limit| self.stream.set_read_timeout(limit))?;
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(length) => {
                    self.buffers.input_appended(length);
                    return Ok(length > 0);
                }
                Err(error) => is_over(error, timeout)?,
            }
        }
    }

    /// A connection that has something to read between two requests is closed, or out of step.
    fn is_open(&mut self) -> bool {
        let quiet = self.stream.set_nonblocking(true).and_then(|()| self.stream.peek(&mut [0]));
        matches!(quiet, Err(error) if error.kind() == ErrorKind::WouldBlock)
            && self.stream.set_nonblocking(false).is_ok()
    }
}

/// macOS refuses to set a limit once the other side has closed; there may be something to read all the same.
fn set_limit(left: Duration, set: impl FnOnce(Option<Duration>) -> io::Result<()>) -> io::Result<()> {
    match set(Some(left)) {
        Err(error) if cfg!(target_os = "macos") && error.kind() == ErrorKind::InvalidInput => Ok(()),
        set => set,
    }
}

/// A signal interrupts a read that has a limit, on Linux, and whoever handles the signal did not mean this read.
fn is_over(error: io::Error, timeout: NextTimeout) -> Result<(), Error> {
    match error.kind() {
        ErrorKind::Interrupted => Ok(()),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Err(Error::Timeout(timeout.reason)),
        _ => Err(error.into()),
    }
}
