//! A token that is still good is handed out: the `Authorization` header, unless the token is due for a refresh.

use crate::{Contender, Name, Path, Target};
use oauth2::basic::{BasicTokenResponse, BasicTokenType};
use oauth2::{EmptyExtraTokenFields, TokenResponse};
use proofkey_core::{AccessToken, Lifetime};
use std::time::Duration;

pub(super) fn path() -> Path {
    let token = oauth2_token();
    Path {
        name: "lifetime check, header",
        batch: 4096,
        contenders: vec![
            Contender::writing(Name::Proofkey, proofkey_token, |token, out| proofkey(token, NOW, out)),
            Contender::new(Name::Oauth2, || NOW, move |now| oauth2(&token, *now)),
            Contender::writing(Name::ByHand, || (TOKEN, DUE_AT), |token, out| by_hand(token, NOW, out)),
        ],
        target: Target { by_hand: Some(3.0), ..Target::default() },
        note: "a clock that was set back",
        others: &[
            (Name::Oauth2, "has no arithmetic; a caller's comparison, no clock that was set back"),
            (Name::ByHand, "no clock that was set back"),
        ],
    }
}

fn proofkey_token() -> (AccessToken<'static>, Lifetime) {
    (AccessToken::new(TOKEN).expect("a token"), Lifetime::new(REQUESTED_AT, Some(3600)))
}

fn proofkey((token, lifetime): &(AccessToken<'_>, Lifetime), now: u64, out: &mut String) {
    if !lifetime.is_due(now) {
        token.authorization().write(out).expect("a string takes it");
    }
}

fn oauth2_token() -> BasicTokenResponse {
    let mut token = BasicTokenResponse::new(
        oauth2::AccessToken::new(TOKEN.to_owned()),
        BasicTokenType::Bearer,
        EmptyExtraTokenFields {},
    );
    token.set_expires_in(Some(&Duration::from_secs(3600)));
    token
}

fn oauth2(token: &BasicTokenResponse, now: u64) -> Option<String> {
    let due_at = REQUESTED_AT + token.expires_in()?.as_secs() - 60;
    (now < due_at).then(|| format!("Bearer {}", token.access_token().secret()))
}

fn by_hand((token, due_at): &(&str, u64), now: u64, out: &mut String) {
    if now < *due_at {
        out.push_str("Bearer ");
        out.push_str(token);
    }
}

const TOKEN: &str = "SlAV32hkKGdr8nPq5tWzYcUe1oJx7mBiF9vLs0TuR4yQ";
const REQUESTED_AT: u64 = 1_795_564_800;
const DUE_AT: u64 = REQUESTED_AT + 3540;
const NOW: u64 = REQUESTED_AT + 1200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_hand_it_out_until_it_is_due() {
        for (now, expected) in
            [(NOW, format!("Bearer {TOKEN}")), (DUE_AT - 1, format!("Bearer {TOKEN}")), (DUE_AT, String::new())]
        {
            let (mut ours, mut by_us) = (String::new(), String::new());
            proofkey(&proofkey_token(), now, &mut ours);
            by_hand(&(TOKEN, DUE_AT), now, &mut by_us);
            assert_eq!((&ours, &by_us), (&expected, &expected));
            assert_eq!(oauth2(&oauth2_token(), now).unwrap_or_default(), expected);
        }
    }
}
