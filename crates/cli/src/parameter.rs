//! Parameters of URLs and bodies.

/// The decoded value of a parameter in a URL or a body; empty if there is none.
pub fn parameter(text: &str, name: &str) -> String {
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    form_urlencoded::parse(query.as_bytes())
        .find(|(found, _)| found == name)
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_found_and_decoded() {
        let url = "https://as.example/a?x=1&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcb%3Fa%3Db&scope=a+b";
        assert_eq!(parameter(url, "redirect_uri"), "http://127.0.0.1:4711/cb?a=b");
        assert_eq!(parameter("grant_type=code&scope=a+b", "scope"), "a b");
        assert_eq!(parameter("https://as.example/a", "scope"), "");
    }
}
