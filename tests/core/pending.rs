//! A login that waits: its size, and how it is written down and read back.

use proofkey_core::{ClientBuf, Pending, Redirect, Request, TokenRequest};
use proofkey_core_tests::{begin, client, good_query};

#[test]
fn a_pending_login_can_be_written_down_and_read_back() {
    let pending = begin(client());
    let query = good_query(&pending);
    let written = serde_json::to_string(&pending).expect("it is written");
    assert_eq!(written.len(), 135);
    let read: Pending = serde_json::from_str(&written).expect("it is read");
    assert!(read.matches(client(), Redirect::Query(&query)));
    let straight = pending.accept(client(), Redirect::Query(&query)).expect("ours").request().body();
    assert_eq!(read.accept(client(), Redirect::Query(&query)).expect("ours").request().body(), straight);

    let refused = |text: &str| serde_json::from_str::<Pending>(&format!("\"{text}\"")).map(drop);
    for bad in ["1.", "1.a.b.c", &written[1..133], "1.1.a.b"] {
        assert!(refused(bad).is_err_and(|error| error.to_string().starts_with("this is not")), "{bad}");
    }
    for other in ["", "1", &written[3..134], &format!("3{}", &written[2..134])] {
        assert!(refused(other).is_err_and(|error| error.to_string().contains("not of version 1 or 2")), "{other}");
    }
    let broken = written.replacen('A', "é", 1);
    assert!(serde_json::from_str::<Pending>(&broken).is_err());
}

#[test]
fn part_of_a_pending_login_cannot_be_read_back() {
    let whole = serde_json::to_string(&begin(client())).unwrap();
    for length in 1..whole.len() - 1 {
        let part = format!("{}\"", &whole[..length]);
        assert!(serde_json::from_str::<Pending>(&part).is_err(), "{part}");
    }
}

#[test]
fn only_a_pending_login_is_read_back() {
    for (text, says) in [(r#""nonsense""#, "pending login"), ("7", "a pending login, as it was written")] {
        let error = serde_json::from_str::<Pending>(text).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn states_are_small_and_can_be_moved_anywhere() {
    fn parked<T: Send + Sync + 'static>() -> usize {
        size_of::<T>()
    }
    assert_eq!(parked::<Pending>(), 119);
    assert!(parked::<ClientBuf>() > 0);
    assert!(size_of::<TokenRequest<'_>>() <= 256);
    assert!(size_of::<Request<'_>>() <= 320);
}

#[test]
fn a_redirect_tells_its_state_to_look_the_login_up() {
    let pending = begin(client());
    let state = pending.state().expose();
    for seen in [
        Redirect::Query(&format!("code=C&state={state}")),
        Redirect::Target(&format!("/cb?state={state}&code=C")),
        Redirect::Url(&format!("http://127.0.0.1:49152/cb?%73tate={state}#_=_")),
        Redirect::Query(&format!("error=access_denied&state={state}#_")),
    ] {
        assert_eq!(seen.state(), Some(state));
    }
    for none in ["", "code=C", "state=", "state=a&state=a", "state=a&%73tate=a", "state=a%2Db", "state=a+b", "State=a"]
    {
        assert_eq!(Redirect::Query(none).state(), None, "{none}");
    }
    for elsewhere in
        [Redirect::Target("/cb#state=a"), Redirect::Url("com.example.app:/cb"), Redirect::Target("state=a")]
    {
        assert_eq!(elsewhere.state(), None, "{elsewhere:?}");
    }
}
