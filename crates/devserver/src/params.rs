//! The parameters of a query or a form, each at most once.

use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub(crate) struct Params(BTreeMap<String, String>);

impl Params {
    /// An empty value counts as absent. A repeated name is the error (RFC 6749 section 3.1).
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut params = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if params.insert(name.clone().into_owned(), value.into_owned()).is_some() && name != "resource" {
                return Err(name.into_owned());
            }
        }
        params.retain(|_, value| !value.is_empty());
        Ok(Self(params))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
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
}
