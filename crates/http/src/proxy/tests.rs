use super::*;

fn environment(variables: &[(&str, &str)]) -> Proxies {
    Proxies::read(|name| variables.iter().find(|(found, _)| *found == name).map(|(_, value)| value.into()))
}

#[test]
fn a_url_is_normalised() {
    for (url, expected) in [
        ("proxy.example", "http://proxy.example:1080"),
        ("PROXY.example:8080", "http://proxy.example:8080"),
        ("HTTP:/proxy.example", "http://proxy.example:1080"),
        ("https:///proxy.example/path?query#fragment", "https://proxy.example:443"),
        ("https://proxy.example:", "https://proxy.example:443"),
        ("http://127.1:080?x@y", "http://127.0.0.1:80"),
        ("http://0x7f.0.0.1:80", "http://127.0.0.1:80"),
        ("http://0177.1:80", "http://127.0.0.1:80"),
        ("http://2130706433:80", "http://127.0.0.1:80"),
        ("http://[0:0::1]", "http://[::1]:1080"),
        ("http://@h:1", "http://h:1"),
        ("http://user@h:1", "http://user@h:1"),
        ("http://:pass@h:1", "http://:pass@h:1"),
        ("user:pa:s%3as@h:1", "http://user:pa%3As%3As@h:1"),
        ("http://us er@h:1", ""),
        ("http://u:%C3%a9\u{e9}@h:1", "http://u:%C3%A9%C3%A9@h:1"),
        ("http://u\"<>[]|\\^:%z%@h:1", "http://u%22%3C%3E%5B%5D%7C%5C%5E:%25z%25@h:1"),
    ] {
        let proxies = Proxies::new(url);
        let found = proxies.as_ref().map_or("", |proxies| proxies.find("as.example").unwrap().unwrap().as_str());
        assert_eq!(found, expected, "{url}");
    }
}

#[test]
fn what_is_not_the_url_of_a_proxy_is_an_error_that_holds_no_part_of_it() {
    for (url, fault) in [
        ("", ProxyFault::NotUrl),
        ("http://", ProxyFault::NotUrl),
        ("http:////SECRET", ProxyFault::NotUrl),
        ("//SECRET", ProxyFault::NotUrl),
        ("http:SECRET", ProxyFault::NotUrl),
        ("http://u:SECRET@", ProxyFault::NotUrl),
        ("http://u:SECRET@x@h", ProxyFault::NotUrl),
        ("http://u:SECRET/x@h", ProxyFault::NotUrl),
        ("http://u:SECRET@h:65536", ProxyFault::NotUrl),
        ("http://u:SECRET@h:0", ProxyFault::NotUrl),
        ("http://u:SECRET@h:+1", ProxyFault::NotUrl),
        ("u:SECRET@h:", ProxyFault::NotUrl),
        ("http://u:SECRET@h ", ProxyFault::NotUrl),
        ("http://u:SECRET@h\\x", ProxyFault::NotUrl),
        ("http://u:SECRET@[::1", ProxyFault::NotUrl),
        ("http://u:SECRET@[::1]1", ProxyFault::NotUrl),
        ("http://u:SECRET@[::g]", ProxyFault::NotUrl),
        ("http://u:SECRET@1.2.3.4.5", ProxyFault::NotUrl),
        ("http://u:SECRET@1.256.3.4", ProxyFault::NotUrl),
        ("http://u:SECRET@08", ProxyFault::NotUrl),
        ("http://u:SECRET@+1", ProxyFault::NotUrl),
        ("http://u:SECRET@0x+1", ProxyFault::NotUrl),
        ("http://u:SECRET@0x1ffffffff", ProxyFault::NotUrl),
        ("http://u:SECRET@h%61", ProxyFault::NotUrl),
        ("http://u:SECRET%0a@h", ProxyFault::NotUrl),
        ("http://u:SECRET%ff@h", ProxyFault::NotUrl),
        ("socks://SECRET", ProxyFault::Unsupported(Some("socks"))),
        ("socks4://SECRET", ProxyFault::Unsupported(Some("socks4"))),
        ("socks4a://SECRET", ProxyFault::Unsupported(Some("socks4a"))),
        ("SOCKS5://u:SECRET@h", ProxyFault::Unsupported(Some("socks5"))),
        ("socks5h://u:SECRET@h", ProxyFault::Unsupported(Some("socks5h"))),
        ("ftp://SECRET", ProxyFault::Unsupported(None)),
        ("SECRET:/x@h", ProxyFault::Unsupported(None)),
    ] {
        let error = Proxies::new(url).unwrap_err();
        assert_eq!((error.fault(), error.variable()), (fault, None), "{url}");
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error}");
        if url.is_empty() {
            continue;
        }
        let proxies = environment(&[("all_proxy", url), ("no_proxy", "direct.example")]);
        let error = proxies.find("as.example").unwrap_err();
        assert_eq!((error.fault(), error.variable()), (fault, Some("all_proxy")), "{url}");
        assert!(error.to_string().starts_with("all_proxy"), "{error}");
        assert!(!format!("{error} {proxies:?}").contains("SECRET"), "{error} {proxies:?}");
        for direct in ["direct.example", "localhost", "localhost.", "127.0.0.2", "127.1", "::1", "[::ffff:7f00:1]"] {
            assert_eq!(proxies.find(direct), Ok(None), "{url} {direct}");
        }
    }
    let error = environment(&[("HTTPS_PROXY", "socks5://h")]).find("as.example").unwrap_err();
    let told = "HTTPS_PROXY: socks5:// proxies are not supported; use an http:// or https:// proxy";
    assert_eq!(error.to_string(), told);
}

#[test]
fn the_first_variable_that_is_not_empty_counts() {
    let mut variables = Vec::new();
    for (name, url) in [("ALL_PROXY", "h4"), ("all_proxy", "h3"), ("HTTPS_PROXY", "h2"), ("https_proxy", "h1")] {
        variables.push((name, url));
        let found = environment(&variables).find("as.example").unwrap().unwrap().as_str().to_owned();
        assert_eq!(found, format!("http://{url}:1080"), "{name}");
        variables.push(("NO_PROXY", "as.example"));
        assert_eq!(environment(&variables).find("as.example"), Ok(None), "{name}");
        variables.insert(0, ("no_proxy", ""));
        assert_eq!(environment(&variables).find("as.example"), Ok(None), "{name}");
        variables[0].1 = "x.example";
        assert!(environment(&variables).find("as.example").unwrap().is_some(), "{name}");
        variables.retain(|(name, _)| !name.eq_ignore_ascii_case("no_proxy"));
    }
    for variable in &mut variables {
        variable.1 = "";
    }
    variables.extend([("http_proxy", "h"), ("HTTP_PROXY", "h")]);
    assert_eq!(environment(&variables).find("as.example"), Ok(None));
}

#[test]
fn exceptions_are_names_with_their_subdomains_and_blocks_of_addresses() {
    for (exceptions, host, direct) in [
        ("*", "as.example", true),
        ("*,x.example", "as.example", false),
        ("x.example\tas.EXAMPLE. ", "AS.example", true),
        (",.as.example,", "login.as.example.", true),
        (".as.example", "as.example", true),
        ("s.example", "as.example", false),
        ("as.example:443", "as.example", false),
        ("10.1.2.3", "10.66051", true),
        ("10.0.0.0/15", "10.1.2.3", true),
        ("10.0.0.0/16", "10.1.2.3", false),
        ("10.1.2.3/0", "10.1.2.3", true),
        ("0.0.0.0/0", "10.1.2.3", false),
        ("10.1.2.3/33", "10.1.2.3", false),
        ("10.0.0.0/+8", "10.1.2.3", false),
        ("2001:db8:0::1", "[2001:DB8::1]", true),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/33", "2001:db8:ffff::1", false),
        ("2001:db8::/129", "2001:db8::", false),
        ("::/0", "2001:db8::", false),
        ("10.1.2.3", "::ffff:10.1.2.3", false),
    ] {
        let proxies = Proxies::new("h").unwrap().with_exceptions(exceptions);
        assert_eq!(proxies.find(host).unwrap().is_none(), direct, "{exceptions} {host}");
    }
}

#[test]
fn a_password_is_not_in_the_debug_text() {
    let proxies = Proxies::new("https://USER:SECRET@proxy.example").unwrap().with_exceptions("a.example");
    let text = format!("{proxies:?}");
    assert!(text.contains("Proxy(https://proxy.example:443)") && text.contains("a.example"), "{text}");
    assert!(!text.contains("SECRET") && !text.contains("USER"), "{text}");
    assert_eq!(proxies.find("a.example"), Ok(None));
    assert!(matches!(proxies.find("b.example"), Ok(Some(_))));
    assert_eq!(Proxies::none().find("b.example"), Ok(None));
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf8_is_an_error_if_it_would_be_chosen() {
    use std::os::unix::ffi::OsStringExt;
    let latin1 = |text: &str| OsString::from_vec(text.chars().map(|c| u8::try_from(c).unwrap()).collect());
    let read = |chosen: &str| {
        Proxies::read(|name| match name {
            "no_proxy" => Some(latin1("\u{e9},a.example")),
            _ => (name == chosen).then(|| latin1("http://u:\u{e9}@h")),
        })
    };
    let error = read("https_proxy").find("b.example").unwrap_err();
    assert_eq!((error.fault(), error.variable()), (ProxyFault::NotUtf8, Some("https_proxy")));
    assert_eq!(read("https_proxy").find("a.example"), Ok(None));
    assert_eq!(read("http_proxy").find("b.example"), Ok(None));
}

#[test]
fn no_value_makes_it_panic() {
    const PARTS: [&str; 24] = [
        "http", "://", ":/", "/", "@", ":", "[", "]", "%", "%4", "%ff", ".", "0x", "1", "256", "\u{e9}", ",", " ", "*",
        "+", "-", "::", "a", "",
    ];
    let mut state = 1_u64;
    let mut any = || {
        (0..6)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                PARTS[usize::try_from(state >> 33).unwrap() % PARTS.len()]
            })
            .collect::<String>()
    };
    let mut good = 0;
    for _ in 0..100_000 {
        let proxies = environment(&[("https_proxy", &any()), ("no_proxy", &any())]);
        if let Ok(Some(proxy)) = proxies.find(&any()) {
            good += 1;
            proxy.as_str().parse::<http::Uri>().unwrap();
            assert_eq!(&Proxy::parse(proxy.as_str()).unwrap(), proxy);
        }
    }
    assert!(good > 1_000, "{good}");
}
