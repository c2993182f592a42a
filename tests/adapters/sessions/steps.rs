//! Passes without I/O, step by step.

use proofkey_core::session::{Need, Policy};
use proofkey_core::{AccessToken, Client, ClientBuf, RefreshToken, Response, ResponseError, Server, Tokens, TokensBuf};
use proofkey_http::session::{Act, Begin, Cell, Run, Turn};
use proofkey_http::{ExchangeError, SignedIn, TransportError, TransportKind};
use proofkey_store::{Answer, Key, Memory, Store};
use std::sync::Arc;
use std::time::SystemTime;

#[test]
fn a_refused_refresh_token_is_kept_until_the_end_is_written() {
    let (_, store, mut run) = sending();
    run.exchanged((None, Err(refused())));
    // Nobody else has refreshed.
    step(&store, &mut run);
    assert_eq!(run.act(), Act::Store);
    run.stored(Ok(Answer::Fenced));
    assert!(run.record().unwrap().refresh_token.is_some(), "it may have to be sent, or to be compared");
    let (_, store, mut run) = sending();
    run.exchanged((None, Err(refused())));
    step(&store, &mut run);
    step(&store, &mut run);
    assert!(run.record().unwrap().refresh_token.is_none() && run.record().unwrap().ended.is_some());
    assert_eq!(run.act(), Act::Over);
}

#[test]
fn only_an_answer_to_a_first_request_tells_that_a_server_does_not_rotate() {
    for (lost_before, rotates) in [(false, Some(false)), (true, None)] {
        let (_, store, mut run) = sending();
        if lost_before {
            let cut = TransportError::new(TransportKind::Closed, true);
            run.exchanged((None, Err(ExchangeError::Transport(cut))));
            assert!(matches!(run.act(), Act::Exchange(_)), "what was cut off is sent once more");
        }
        run.exchanged((None, Ok(tokens(3600))));
        step(&store, &mut run);
        assert_eq!(run.act(), Act::Over);
        assert_eq!(run.record().unwrap().rotates, rotates);
    }
}

/// A pass that is about to send.
fn sending() -> (Cell, Memory, Box<Run>) {
    let server = Server::new("https://as.example/authorize", "https://as.example/token");
    let client = Client::new("app", "http://127.0.0.1/callback", server).unwrap();
    let (cell, store) =
        (Cell::new(Key::of(client, "a"), Arc::new(ClientBuf::from(client)), Policy::new(), None), Memory::new());
    let mut begin = Begin::login(&cell, &SignedIn::new(tokens(0), SystemTime::now())).unwrap();
    let answer = store.run(cell.key(), begin.op());
    assert!(begin.stored(answer).unwrap().is_some());
    let Turn::Run(mut run) = cell.turn(Need::Valid, cell.come()) else { panic!("the token has ended") };
    while run.act() == Act::Store {
        step(&store, &mut run);
    }
    assert!(matches!(run.act(), Act::Exchange(_)));
    (cell, store, run)
}

fn step(store: &Memory, run: &mut Run) {
    let key = run.record().unwrap().key.clone();
    let answer = store.run(&key, run.op());
    run.stored(answer);
}

fn tokens(lifetime: u32) -> TokensBuf {
    let tokens = Tokens::new(AccessToken::new("AT").unwrap()).with_expires_in(lifetime);
    tokens.with_refresh_token(RefreshToken::new("RT").unwrap()).into()
}

fn refused() -> ExchangeError {
    let mut body = *br#"{"error":"invalid_grant"}"#;
    let server = Server::new("https://as.example/authorize", "https://as.example/token");
    let client = Client::new("app", "http://127.0.0.1/callback", server).unwrap();
    let request = client.refresh(RefreshToken::new("RT").unwrap());
    let response = Response::new(400, &mut body).with_header("content-type", "application/json");
    let error: ResponseError = request.read(response).unwrap_err();
    ExchangeError::Response(error)
}
