//! A sign-in that the user confirms on another device: `device ISSUER CLIENT_ID blocking|async|device`.

use proofkey_core::{Client, Flow, Request, Response, Server, Step, TokensArray, TokensBuf, Unanswered};
use proofkey_ureq::{DeviceLogin, Http};
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const SCOPE: &[&str] = &["itwin-platform"];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, issuer, client_id, kind] = args.as_slice() else {
        return Err("usage: device ISSUER CLIENT_ID blocking|async|device".into());
    };
    let length = match kind.as_str() {
        "async" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(asynchronous(issuer, client_id))?.access_token().expose().len()
        }
        "device" => on_a_device(issuer, client_id)?,
        _ => blocking(issuer, client_id)?.access_token().expose().len(),
    };
    println!("an access token of {length} bytes");
    Ok(())
}

fn blocking(issuer: &str, client_id: &str) -> Result<TokensBuf> {
    let http = Http::new();
    let client = http.discover_device(issuer, client_id)?;
    let login = DeviceLogin::new(client.as_client(), SCOPE).with_timeout(Duration::from_secs(600));
    Ok(http.login_device(login, |prompt| writeln!(io::stdout(), "{prompt}"))?.tokens)
}

async fn asynchronous(issuer: &str, client_id: &str) -> Result<TokensBuf> {
    let http = proofkey_reqwest::Http::new()?;
    let client = http.discover_device(issuer, client_id).await?;
    let login = DeviceLogin::new(client.as_client(), SCOPE);
    Ok(http.login_device(login, |prompt| writeln!(io::stdout(), "{prompt}")).await?.tokens)
}

/// One buffer for all answers, and a clock that starts with the device. Here `ureq` sends, in place of the device's own sockets.
fn on_a_device(issuer: &str, client_id: &str) -> Result<usize> {
    let (http, started) = (Http::new(), Instant::now());
    let now = || started.elapsed().as_secs();
    let mut buffer = [0; 4096];
    let send = |request: &Request<'_>, buffer: &mut [u8]| -> Result<(u16, usize)> {
        let answer = http.send(request)?;
        let room = buffer.get_mut(..answer.body.len()).ok_or("the answer is longer than the buffer")?;
        room.copy_from_slice(&answer.body);
        Ok((answer.status, answer.body.len()))
    };

    let device = format!("{issuer}/connect/deviceauthorization");
    let token = format!("{issuer}/connect/token");
    let request = Client::without_redirect(client_id, Server::device(&device, &token))?.device(SCOPE)?;
    let (status, length) = send(&request.request(), &mut buffer)?;
    let (prompt, poll) = request.read(Response::new(status, &mut buffer[..length]), now())?;
    println!("{prompt}");
    // The buffer is for the next answer: the device code moves out of it.
    let mut room = [0; 256];
    let mut poll = poll.kept_in(&mut room)?;

    let (status, length) = loop {
        let sent = match poll.step(now()) {
            Step::Send(request) => send(&request, &mut buffer),
            Step::Wait(seconds) => {
                thread::sleep(Duration::from_secs(seconds.into()));
                continue;
            }
            _ => return Err(poll.over().into()),
        };
        match sent {
            Ok((status, length)) => {
                if poll.hear(&Response::new(status, &mut buffer[..length]), now()) {
                    break (status, length);
                }
            }
            // No answer: it polls less often from now on.
            Err(_) => drop(poll.unanswered(Unanswered::Lost, now())),
        }
    };
    let tokens = poll.read(Response::new(status, &mut buffer[..length]))?;
    let tokens = TokensArray::<512>::try_from(tokens)?;
    room.fill(0);
    Ok(tokens.as_tokens().access_token().expose().len())
}
