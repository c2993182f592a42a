//! The parameters of a query or a form, each at most once.

use base64ct::{Base64, Encoding};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    values: BTreeMap<String, String>,
    are_identified: bool,
}

impl Params {
    /// An empty value counts as absent. A repeated name is the error (RFC 6749 section 3.1).
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if values.insert(name.clone().into_owned(), value.into_owned()).is_some() && name != "resource" {
                return Err(name.into_owned());
            }
        }
        values.retain(|_, value| !value.is_empty());
        Ok(Self { values, are_identified: false })
    }

    /// Takes over who asks from the header `Authorization: Basic` (RFC 6749 section 2.3.1). The error says why not.
    pub(crate) fn identify(&mut self, authorization: &str) -> Result<(), &'static str> {
        let unreadable = "the header cannot be read";
        let (scheme, credentials) = authorization.split_once(' ').ok_or(unreadable)?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(unreadable);
        }
        let text = Base64::decode_vec(credentials.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or(unreadable)?;
        let (id, secret) = text.split_once(':').ok_or(unreadable)?;
        // A pushed login names its client, too (RFC 9126 section 2.1).
        if self.find("client_secret").is_some()
            || self.find("client_id").is_some() != self.find("response_type").is_some()
        {
            return Err("the client is named in the header and in the body");
        }
        for (name, value) in [("client_id", id), ("client_secret", secret)] {
            // As in a form.
            let value = form_urlencoded::parse(value.as_bytes()).next().map(|(value, _)| value.into_owned());
            self.values.insert(name.to_owned(), value.unwrap_or_default());
        }
        self.values.retain(|_, value| !value.is_empty());
        self.are_identified = true;
        Ok(())
    }

    /// Whether [`identify`](Self::identify) has said who asks.
    pub(crate) const fn are_identified(&self) -> bool {
        self.are_identified
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value, or nothing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_are_told_and_empty_values_are_absent() {
        let params = Params::parse("a=1&b=&c=x%20+y").unwrap();
        assert_eq!((params.find("a"), params.find("b"), params.text("c")), (Some("1"), None, "x  y"));
        assert_eq!(Params::parse("a=1&%61=2").unwrap_err(), "a");
        assert_eq!(Params::parse("a=&a=2").unwrap_err(), "a");
    }

    #[test]
    fn the_header_says_who_asks_and_the_body_does_not_repeat_it() {
        let identified = |body: &str, header: &str| {
            let mut params = Params::parse(body).unwrap();
            params
                .identify(header)
                .map(|()| (params.text("client_id").to_owned(), params.text("client_secret").to_owned()))
        };
        // `a+b%3Ac:x%2By`
        let header = "Basic YStiJTNBYzp4JTJCeQ==";
        let expected = Ok(("a b:c".to_owned(), "x+y".to_owned()));
        assert_eq!(identified("grant_type=x", header), expected);
        assert_eq!(identified("response_type=code&client_id=a+b%3Ac", header), expected);
        for body in ["client_id=a+b%3Ac", "client_secret=x%2By", "response_type=code"] {
            assert!(identified(body, header).is_err(), "{body}");
        }
        for bad in ["", "Basic", "Bearer YTpi", "Basic !", "Basic YWI=", "Basic /zo="] {
            assert_eq!(identified("", bad), Err("the header cannot be read"), "{bad}");
        }
    }
}
