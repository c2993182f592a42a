//! Stands in for the user and the browser: `press URL` opens the URL, signs in, allows, and prints where it ended.

use proofkey_devserver::user_agent::{Decision, UserAgent};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: press URL")?;
    let visit = UserAgent::new().run(&url, Decision::Allow)?;
    println!("{}", visit.callback.ok_or("the server sent the browser nowhere")?);
    Ok(())
}
