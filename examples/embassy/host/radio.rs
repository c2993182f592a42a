//! The other end of the board's network: each connection of the board becomes one of this machine's.

use crate::MTU;
use async_io::Async;
use embassy_executor::Spawner;
use embassy_futures::select::{Either, select};
use embassy_net::Stack;
use embassy_net::tcp::TcpSocket;
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_net_driver_channel::{Runner, RxRunner, TxRunner};
use embedded_io_async::Write;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

/// One end of a wire.
pub(crate) type End = Runner<'static, MTU>;

/// Joins both ends, carries connections to this port, and knows the address of every name: this machine's.
pub(crate) fn start(spawner: Spawner, stack: Stack<'static>, port: u16, board: End, radio: End) {
    let ((_, board_in, board_out), (_, radio_in, radio_out)) = (board.split(), radio.split());
    spawner.spawn(wire(board_out, radio_in).expect("one of two"));
    spawner.spawn(wire(radio_out, board_in).expect("one of two"));
    // The one waits while the other's connection ends.
    for _ in 0..2 {
        spawner.spawn(connections(stack, port).expect("one of two"));
    }
    spawner.spawn(names(stack).expect("one"));
}

#[embassy_executor::task(pool_size = 2)]
async fn wire(mut from: TxRunner<'static, MTU>, mut to: RxRunner<'static, MTU>) -> ! {
    loop {
        let packet = from.tx_buf().await;
        let length = packet.len();
        to.rx_buf().await[..length].copy_from_slice(packet);
        from.tx_done();
        to.rx_done(length);
    }
}

#[embassy_executor::task(pool_size = 2)]
async fn connections(stack: Stack<'static>, port: u16) -> ! {
    let (mut received, mut to_send) = ([0; 4096], [0; 4096]);
    loop {
        let mut board = TcpSocket::new(stack, &mut received, &mut to_send);
        if board.accept(port).await.is_ok() {
            // An error ends the connection, which is all that the board can see of it.
            carry(&mut board, port).await.ok();
        }
        board.close();
        board.flush().await.ok();
    }
}

/// Until the server closes the connection.
async fn carry(board: &mut TcpSocket<'_>, port: u16) -> io::Result<()> {
    let server = Async::<TcpStream>::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let (mut sent, mut answered) = ([0; 4096], [0; 4096]);
    loop {
        let answer = server.read_with(|mut server| server.read(&mut answered));
        match select(board.read(&mut sent), answer).await {
            Either::First(Ok(length @ 1..)) => {
                let mut rest = &sent[..length];
                while !rest.is_empty() {
                    rest = &rest[server.write_with(|mut server| server.write(rest)).await?..];
                }
            }
            Either::Second(Ok(length @ 1..)) => board.write_all(&answered[..length]).await.map_err(io::Error::other)?,
            _ => return Ok(()),
        }
    }
}

/// A name server (RFC 1035 section 4).
#[embassy_executor::task]
async fn names(stack: Stack<'static>) -> ! {
    let (mut received, mut to_send) = ([0; 1024], [0; 1024]);
    let (mut received_meta, mut to_send_meta) = ([PacketMetadata::EMPTY; 4], [PacketMetadata::EMPTY; 4]);
    let mut socket = UdpSocket::new(stack, &mut received_meta, &mut received, &mut to_send_meta, &mut to_send);
    socket.bind(53).expect("the port is free");
    let mut message = [0; 512];
    loop {
        if let Ok((length, asked_by)) = socket.recv_from(&mut message[..496]).await {
            // An answer to the one question, which repeats its name by a pointer.
            message[2..4].copy_from_slice(&[0x81, 0x80]);
            message[6..8].copy_from_slice(&[0, 1]);
            message[length..length + 16].copy_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            socket.send_to(&message[..length + 16], asked_by).await.ok();
        }
    }
}
