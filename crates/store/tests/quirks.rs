//! A record keeps what its server does otherwise than the specifications say.

use proofkey_core::{AccessToken, Client, Quirk, Server, Tokens};
use proofkey_store::{Key, Record};

#[test]
fn the_quirks_of_a_server_are_kept_by_name() {
    for server in [Server::SLACK, Server::ENTRA, Server::TWITCH, Server::SPOTIFY] {
        let client = Client::without_redirect("client", server).unwrap();
        let tokens = Tokens::new(AccessToken::new("AT").unwrap());
        let record = Record::of_login(Key::of(client, "alice"), client, &[], tokens, 0);
        let bytes = record.to_bytes().unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(text.contains("\"quirks\""), Quirk::ALL.iter().any(|quirk| server.has_quirk(*quirk)), "{text}");
        let read = Record::from_bytes(&bytes).unwrap();
        for quirk in Quirk::ALL {
            assert_eq!(read.server().has_quirk(*quirk), server.has_quirk(*quirk), "{}", quirk.name());
            assert_eq!(read.quirks.contains(quirk.name()), server.has_quirk(*quirk), "{}", quirk.name());
        }
    }
}

#[test]
fn a_quirk_that_this_version_does_not_know_is_kept_and_changes_nothing() {
    let client = Client::without_redirect("client", Server::SPOTIFY).unwrap();
    let tokens = Tokens::new(AccessToken::new("AT").unwrap());
    let mut record = Record::of_login(Key::of(client, "alice"), client, &[], tokens, 0);
    record.quirks.insert("of_tomorrow".to_owned());
    let read = Record::from_bytes(&record.to_bytes().unwrap()).unwrap();
    assert!(read.quirks.contains("of_tomorrow"));
    assert!(Quirk::ALL.iter().all(|quirk| !read.server().has_quirk(*quirk)));
}
