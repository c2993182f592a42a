//! The device on this machine: `host DEVICE_ENDPOINT TOKEN_ENDPOINT API_URL [AUTHORITY]` signs in, and asks the API who has signed in.
//! `AUTHORITY` is a file with the certificate (DER) to trust for https.
//!
//! The board's radio is a second network stack, whose end of a connection is a socket of this machine. On a board, `board` is
//! all that there is, with the driver of its network in place of the wire.

mod radio;

use embassy_executor::Spawner;
use embassy_net::{Config, Ipv4Address, Ipv4Cidr, Runner, Stack, StackResources, StaticConfigV4};
use embassy_net_driver_channel::driver::{HardwareAddress, LinkState};
use embassy_net_driver_channel::{Device, State};
use proofkey_core::{Client, Server};
use proofkey_embassy::{Buffers, Net, run, set_clock};
use rand_core::{OsRng, RngCore};
use std::time::SystemTime;
use std::{env, fmt, fs, io, process};

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let args: &'static [String] = Vec::leak(env::args().skip(1).collect());
    let [device_endpoint, token_endpoint, api, trusted @ ..] = args else {
        eprintln!("usage: host DEVICE_ENDPOINT TOKEN_ENDPOINT API_URL [AUTHORITY]");
        process::exit(2);
    };
    let trusted = trusted.first().map_or_else(Vec::new, |path| fs::read(path).expect("a certificate"));
    let server = Server::device(device_endpoint, token_endpoint);
    let client = Client::without_redirect("demo-native", server).expect("a server");
    let port = client.device(&[]).expect("a device endpoint").request().url().port();

    let (wire, other_wire) = (wire(), wire());
    let device = stack(spawner, wire.1, Ipv4Address::new(127, 0, 0, 2));
    let radio = stack(spawner, other_wire.1, Ipv4Address::LOCALHOST);
    radio::start(spawner, radio, port, wire.0, other_wire.0);
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970");
    set_clock(since_1970.as_secs());
    spawner.spawn(board(device, client, api, Vec::leak(trusted)).expect("one board"));
}

/// What a board does.
#[embassy_executor::task]
async fn board(stack: Stack<'static>, client: Client<'static>, api: &'static str, trusted: &'static [u8]) {
    stack.wait_config_up().await;
    let (mut buffers, mut rng) = (Buffers::new(), OsRng);
    let mut net = Net::new(stack, &mut buffers, trusted, &mut rng);
    match run(&mut net, client, api, &mut Screen).await {
        Ok(()) => process::exit(0),
        Err(failure) => println!("failed: {failure}"),
    }
    process::exit(1);
}

#[embassy_executor::task(pool_size = 2)]
async fn network(mut runner: Runner<'static, Device<'static, MTU>>) -> ! {
    runner.run().await
}

fn wire() -> (radio::End, Device<'static, MTU>) {
    let (end, device) =
        embassy_net_driver_channel::new(Box::leak(Box::new(State::<MTU, 8, 8>::new())), HardwareAddress::Ip);
    end.state_runner().set_link_state(LinkState::Up);
    (end, device)
}

fn stack(spawner: Spawner, device: Device<'static, MTU>, address: Ipv4Address) -> Stack<'static> {
    let config = Config::ipv4_static(StaticConfigV4 {
        address: Ipv4Cidr::new(address, 8),
        gateway: None,
        dns_servers: [Ipv4Address::LOCALHOST].into_iter().collect(),
    });
    let resources = Box::leak(Box::new(StackResources::<8>::new()));
    let (stack, runner) = embassy_net::new(device, config, resources, OsRng.next_u64());
    spawner.spawn(network(runner).expect("one of two"));
    stack
}

/// The board's screen.
struct Screen;

impl fmt::Write for Screen {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        io::Write::write_all(&mut io::stdout(), text.as_bytes()).map_err(|_| fmt::Error)
    }
}

const MTU: usize = 1514;
