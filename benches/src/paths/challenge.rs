//! Why an API refused: its `WWW-Authenticate` field (RFC 6750 section 3).

use crate::{Contender, Name, Path, Target};
use proofkey_core::Refusal;

pub(super) fn path() -> Path {
    Path {
        name: "challenge",
        batch: 64,
        contenders: vec![
            Contender::new(Name::Proofkey, || FIELD, |field| Refusal::of(403, [*field]).is_some()),
            Contender::new(Name::ByHand, || FIELD, |field| by_hand(field).is_some()),
        ],
        target: Target::default(),
        note: "the whole grammar: other schemes, quotes, escapes, repeated parameters",
        others: &[(Name::ByHand, "one scheme, this order of parameters, no escape")],
    }
}

/// The scope that is needed.
fn by_hand(field: &str) -> Option<&str> {
    let params = field.strip_prefix("Bearer ")?;
    let (_, error) = params.split_once("error=\"")?;
    if !error.starts_with("insufficient_scope\"") {
        return None;
    }
    let (_, scope) = params.split_once("scope=\"")?;
    scope.split_once('"').map(|(scope, _)| scope)
}

const FIELD: &str = r#"Bearer realm="iTwin", error="insufficient_scope", error_description="The token lacks a scope", scope="itwins:read itwins:modify""#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_find_the_scope() {
        let Some(Refusal::InsufficientScope { scope: Some(scope) }) = Refusal::of(403, [FIELD]) else {
            panic!("a scope is missing");
        };
        assert_eq!(by_hand(FIELD), Some("itwins:read itwins:modify"));
        assert!(scope == *"itwins:read itwins:modify");
    }
}
