//! The search for metadata, from one well-known address to the next.

use proofkey_browser::{Flow, Outcome, Response, Step};

const ISSUER: &str = "https://as.example/t";

fn response(status: u16, body: &str) -> Response {
    Response::new(status, "content-type\napplication/json".to_owned(), body.as_bytes().to_vec(), false)
}

fn address(discovery: &mut Flow) -> String {
    let Ok(Some(Step::Send(request))) = discovery.next(0.0) else { panic!("a request") };
    request.url().to_owned()
}

#[test]
fn a_search_goes_on_until_it_finds_metadata() {
    let found = r#"{"issuer":"https://as.example/t","authorization_endpoint":"https://as.example/a",
        "token_endpoint":"https://as.example/t"}"#;
    let mut discovery = Flow::discovery(ISSUER.to_owned()).unwrap();
    let first = address(&mut discovery);
    assert_eq!(address(&mut discovery), first, "a step that was not taken stays the next one");
    assert!(!discovery.hear(&mut response(404, ""), 0.0).unwrap());
    assert_ne!(address(&mut discovery), first);
    assert!(discovery.unanswered(true, 0.0).unwrap());
    let mut last = response(200, found);
    assert!(discovery.hear(&mut last, 0.0).unwrap());
    let Ok(Outcome::Found(server)) = discovery.outcome(&mut last) else { panic!("metadata") };
    let endpoints = "authorization_endpoint\nhttps://as.example/a\ntoken_endpoint\nhttps://as.example/t\n";
    assert_eq!(server.settings(), endpoints);
}

#[test]
fn what_the_server_promises_and_requires_is_a_setting() {
    let found = r#"{"issuer":"https://as.example/t","authorization_endpoint":"https://as.example/a",
        "token_endpoint":"https://as.example/t","pushed_authorization_request_endpoint":"https://as.example/p",
        "require_pushed_authorization_requests":true,"authorization_response_iss_parameter_supported":true}"#;
    let mut discovery = Flow::discovery(ISSUER.to_owned()).unwrap();
    let mut response = response(200, found);
    assert!(discovery.hear(&mut response, 0.0).unwrap());
    let Ok(Outcome::Found(server)) = discovery.outcome(&mut response) else { panic!("metadata") };
    let settings = server.settings();
    assert!(
        settings.ends_with("pushed_authorization_request_endpoint\nhttps://as.example/p\niss_parameter\n\npush\n\n"),
        "{settings}"
    );
}

#[test]
fn a_search_that_finds_nothing_says_what_it_tried() {
    let mut discovery = Flow::discovery(ISSUER.to_owned()).unwrap();
    let addresses = [404, 200, 410].map(|status| {
        let address = address(&mut discovery);
        assert!(!discovery.hear(&mut response(status, "{}"), 0.0).unwrap());
        address
    });
    assert!(discovery.next(0.0).unwrap().is_none());
    let over = discovery.why_over();
    assert_eq!(over.code(), "response");
    for (address, answered) in addresses.iter().zip(["answered 404", "answered with something else", "answered 410"]) {
        assert!(over.to_string().contains(&format!("{address} {answered}")), "{over}");
    }
}

#[test]
fn a_search_ends_at_a_server_that_is_down() {
    let mut discovery = Flow::discovery(ISSUER.to_owned()).unwrap();
    assert!(!discovery.unanswered(false, 0.0).unwrap());
    let mut down = response(503, "");
    assert!(discovery.hear(&mut down, 0.0).unwrap());
    assert_eq!(discovery.outcome(&mut down).unwrap_err().code(), "status");
    assert_eq!(Flow::discovery("http://as.example".to_owned()).unwrap_err().code(), "config");
}

#[test]
fn a_body_that_was_cut_off_is_not_metadata() {
    let mut discovery = Flow::discovery(ISSUER.to_owned()).unwrap();
    let cut = Response::new(200, String::new(), br#"{"issuer":"https://as.example/t"}"#.to_vec(), true);
    assert!(!discovery.hear(&mut { cut }, 0.0).unwrap());
}
