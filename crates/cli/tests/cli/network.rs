//! `--proxy`, `--cacert`, their keys in the configuration file, and the environment.

use crate::company::Company;
use crate::desk::{Desk, Run};

const PASSWORD: &str = "CANARY-7";
/// `me:CANARY-7`.
const AUTHORIZATION: &str = "Basic bWU6Q0FOQVJZLTc=";

/// Every command that talks to the server, in an order in which each does.
fn use_everything(company: &Company, options: &[&str], environment: &[(&str, &str)]) {
    let run = |args: &[&str]| {
        let run = company.run(&[args, options].concat(), environment);
        assert_eq!(run.code, Some(0), "{run:?}");
    };
    company.sign_in(options, environment);
    run(&["token", "--refresh"]);
    run(&["call", &format!("{}/api", company.origin)]);
    run(&["logout"]);
}

/// Checks that everything was sent once, and through the proxy if there is one.
#[track_caller]
fn assert_sent(company: &Company, through_proxy: bool) {
    let (asked, served) = company.requests();
    let paths: Vec<&str> = served.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(paths.len(), 6, "{paths:?}");
    assert_eq!(paths[1..], ["/token", "/token", "/api", "/revoke", "/revoke"]);
    assert_eq!(!asked.is_empty(), through_proxy, "{asked:?}");
    for head in asked {
        assert!(head.starts_with(&format!("connect {} ", &company.origin["https://".len()..])), "{head}");
        assert!(!head.contains("RT") && !head.contains("AT"), "{head}");
    }
}

#[test]
fn every_command_takes_the_proxy_and_the_authorities() {
    let company = Company::new();
    let (proxy, pem) = (company.proxy(""), company.authority());
    let pem = pem.to_str().unwrap();
    let (settings, trust) =
        (format!("[profile.default]\nissuer = '{}'\nclient_id = 'x'\n", company.origin), ["--cacert", pem]);

    use_everything(&company, &["--proxy", &proxy, "--cacert", pem], &[]);
    assert_sent(&company, true);
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        use_everything(&company, &trust, &[(variable, &proxy)]);
        assert_sent(&company, true);
    }
    // No option is needed if the file has both; the certificates are beside it.
    std::fs::copy(pem, company.desk.config().with_file_name("ca.pem")).unwrap();
    company.desk.configure(&format!("{settings}proxy = '{proxy}'\ncacert = 'ca.pem'\n"));
    use_everything(&company, &[], &[("HTTPS_PROXY", "http://127.0.0.1:1")]);
    assert_sent(&company, true);
    // The option comes before the file and the environment, wherever it stands.
    company.desk.configure(&format!("{settings}proxy = 'http://127.0.0.1:1'\ncacert = 'missing.pem'\n"));
    use_everything(&company, &["--proxy", &proxy, "--cacert", pem], &[("HTTPS_PROXY", "http://127.0.0.1:1")]);
    assert_sent(&company, true);
    company.sign_in(&["--proxy", &proxy, "--cacert", pem], &[]);
    let run = company.run(&["--proxy", &proxy, "--cacert", pem, "token", "--refresh"], &[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!company.requests().0.is_empty());
}

#[test]
fn no_proxy_is_used_if_none_is_wanted() {
    let company = Company::new();
    let dead = "http://127.0.0.1:1";
    let trust = ["--cacert", "company.pem"];
    use_everything(&company, &trust, &[]);
    assert_sent(&company, false);
    use_everything(&company, &[&trust[..], &["--proxy", ""]].concat(), &[("HTTPS_PROXY", dead)]);
    assert_sent(&company, false);
    use_everything(&company, &trust, &[("ALL_PROXY", dead), ("NO_PROXY", "10.0.0.0/8,0.0.0.0")]);
    assert_sent(&company, false);
    // As in curl, the exceptions hold for the option too.
    use_everything(&company, &[&trust[..], &["--proxy", dead]].concat(), &[("no_proxy", "*"), ("NO_PROXY", "x")]);
    assert_sent(&company, false);
}

#[test]
fn a_proxy_that_does_not_answer_is_never_gone_around() {
    let company = Company::signed_in();
    let options = ["--cacert", "company.pem"];
    let dead = "http://127.0.0.1:1";
    company.run(&[&["token"], &options[..], &["--proxy", dead]].concat(), &[]).fails(5, &["/token: no connection"]);
    company.run(&[&["token"], &options[..]].concat(), &[("HTTPS_PROXY", dead)]).fails(5, &["/token: no connection"]);
    let (asked, served) = company.requests();
    assert!(asked.is_empty() && served.is_empty(), "{served:?}");
}

#[test]
fn only_the_named_authorities_are_trusted() {
    let company = Company::signed_in();
    let [company_pem, other] = ["company.pem", "other.pem"].map(|name| company.desk.home(name));
    let environment = [("SSL_CERT_FILE", company_pem.to_str().unwrap())];
    let words = ["/token: no secure connection to the server", "--cacert FILE", "SSL_CERT_FILE"];
    company.run(&["token"], &[]).fails(5, &words);
    company.run(&["token", "--cacert", "other.pem"], &environment).fails(5, &words);
    assert!(company.requests().1.is_empty(), "a refused server was sent something");
    if cfg!(target_os = "linux") {
        assert_eq!(company.run(&["token"], &environment).code, Some(0));
        company.desk.expire();
    }
    let both = std::fs::read(company_pem).and_then(|pem| Ok([std::fs::read(other)?, pem].concat())).unwrap();
    std::fs::write(company.desk.home("both.pem"), both).unwrap();
    assert_eq!(company.run(&["token", "--cacert", "both.pem"], &[]).code, Some(0));
}

#[test]
fn a_file_without_certificates_is_told_with_its_place() {
    let desk = Desk::signed_in();
    let what_to_do = "name a PEM file with the certificates of the authorities to trust (-----BEGIN CERTIFICATE-----)";
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (name, content) in [("empty.pem", ""), ("text.pem", "no PEM"), ("broken.pem", broken)] {
        std::fs::write(desk.home(name), content).unwrap();
        let message = format!("--cacert {name}: it has no certificate, or a broken one");
        // Also if the token at hand is still valid.
        for command in ["token", "logout"] {
            desk.run(&[command, "--cacert", name]).fails(2, &[&message, what_to_do]);
        }
    }
    let run = desk.run(&["token", "--json", "--cacert", "missing.pem"]);
    let error = run.error();
    assert_eq!(
        (&error["error"], &error["exit"], &error["advice"]),
        (&"configuration".into(), &2.into(), &what_to_do.into())
    );
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("--cacert missing.pem: ") && message.contains("os error"), "{message}");
    desk.configure("[profile.default]\nprovider = 'itwin'\nclient_id = 'x'\ncacert = 'missing.pem'\n");
    let file = desk.config().with_file_name("missing.pem");
    let place = format!("{}: profile `default`: cacert {}: ", desk.config().display(), file.display());
    for args in [&["login", "--no-browser"][..], &["token"], &["call", "https://api.bentley.com"], &["logout"]] {
        desk.run(args).fails(2, &[&place, what_to_do]);
    }
    assert_eq!(desk.run(&["status"]).code, Some(0), "it talks to nobody");
}

#[test]
fn a_proxy_of_another_kind_is_told_and_never_gone_around() {
    let company = Company::signed_in();
    for (url, words) in [
        ("socks5://127.0.0.1:1080", "socks5:// proxies are not supported; use an http:// or https:// proxy"),
        ("SOCKS5H://me:CANARY-7@127.0.0.1", "socks5h:// proxies are not supported"),
        ("ftp://me:CANARY-7@127.0.0.1", "proxies of this kind are not supported"),
        ("http://me:CANARY-7@", "is not the URL of a proxy; write http://HOST:PORT or https://HOST:PORT"),
        ("http://me:CANARY-7@host:99999", "is not the URL of a proxy"),
    ] {
        for args in [&["token", "--proxy", url][..], &["--proxy", url, "token", "--json"]] {
            let run = company.run(args, &[]);
            run.fails(2, &["--proxy: the proxy", words]);
            assert_no_password(&run);
        }
        let run = company.run(&["token", "--cacert", "company.pem"], &[("ALL_PROXY", url)]);
        run.fails(2, &["ALL_PROXY", words]);
        assert_no_password(&run);
        company.desk.configure(&format!("[profile.default]\nclient_id = 'x'\nproxy = '{url}'\n"));
        for command in ["token", "status"] {
            let run = company.desk.run(&[command]);
            run.fails(2, &["config.toml:3: ", words]);
            assert_no_password(&run);
        }
        std::fs::remove_file(company.desk.config()).unwrap();
    }
    let (asked, served) = company.requests();
    assert!(asked.is_empty() && served.is_empty(), "{served:?}");
    company.desk.edit(|record| record.expires_in = None);
    let run = company.run(&["token"], &[("ALL_PROXY", "socks5://127.0.0.1")]);
    assert_eq!(run.code, Some(0), "nothing is sent for a token that is still valid: {run:?}");
}

#[test]
fn a_proxy_with_a_password_is_told_it_and_nobody_else() {
    let company = Company::signed_in();
    company.demand(AUTHORIZATION);
    let (bare, whole) = (company.proxy(""), company.proxy(&format!("me:{PASSWORD}@")));
    let wrong = company.proxy("me:WRONG-8@");
    let token = |options: &[&str], environment: &[(&str, &str)]| {
        company.run(&[&["token", "--cacert", "company.pem"], options].concat(), environment)
    };
    for url in [&bare, &wrong] {
        for (options, environment) in [(&["--proxy", url, "--json"][..], &[][..]), (&[], &[("HTTPS_PROXY", &**url)])] {
            let run = token(options, environment);
            run.fails(2, &["no way through the proxy", "http://USER:PASSWORD@HOST:PORT"]);
            assert!(!run.stderr.contains("WRONG-8"), "{run:?}");
        }
    }
    assert!(company.requests().1.is_empty());
    let run = token(&["--proxy", &whole], &[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_no_password(&run);
    let (asked, served) = company.requests();
    assert!(asked[0].contains(AUTHORIZATION) && served.len() == 1, "{asked:?} {served:?}");
    let dead = format!("http://me:{PASSWORD}@127.0.0.1:1");
    company.desk.expire();
    let run = token(&["--proxy", &dead, "--json"], &[]);
    run.fails(5, &["no connection"]);
    assert_no_password(&run);
}

#[test]
fn a_password_is_in_no_message() {
    let desk = Desk::new();
    let url = format!("http://me:{PASSWORD}@127.0.0.1:1");
    for args in [
        &["status", "--proxy", &url][..],
        &["status", &format!("--proxy={url}")],
        &["token", &format!("--proxy={url}"), "--nonsense"],
        &["token", "--proxy", &url, "--proxy", &url],
        &["login", "--save", "--no-browser", "--proxy", &url],
    ] {
        for args in [args, &[args, &["--json"]].concat()] {
            let run = desk.run(args);
            assert_eq!(run.code, Some(2), "{run:?}");
            assert_no_password(&run);
        }
    }
    let run = desk.run(&["login", "--save", "--no-browser", "--proxy", &url]);
    run.fails(2, &["--save does not write the password of a proxy", &desk.config().display().to_string()]);
    for line in [format!("proxy = \"{url}"), format!("proxy = [\"{url}\"]"), format!("proxy = '{url}' x")] {
        desk.configure(&format!("[profile.default]\nclient_id = 'x'\n{line}\n"));
        let run = desk.run(&["token"]);
        run.fails(2, &["config.toml:3: "]);
        assert_no_password(&run);
    }
}

#[test]
fn save_writes_both_and_tells_a_difference() {
    let company = Company::new();
    let (proxy, desk) = (company.proxy(""), &company.desk);
    let server = ["--profile", "work", "--issuer", &company.origin, "--client-id", "x"];
    let options = ["--proxy", &proxy, "--cacert", "company.pem", "--save"];
    company.sign_in(&[&server[..], &options].concat(), &[]);
    company.requests();
    let run = desk.run(&["token", "--profile", "work", "--refresh"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(company.requests().0.len(), 1);
    company.sign_in(&["--profile", "work", "--save", "--cacert", "company.pem"], &[]);
    let run =
        desk.run(&["login", "--profile", "work", "--save", "--no-browser", "--cacert", "other.pem", "--proxy", ""]);
    run.fails(2, &["with another proxy or none, another `cacert` or none", "proxy = \"\"\n"]);
}

#[test]
fn the_help_tells_of_the_environment() {
    let desk = Desk::new();
    for page in [&["--help"][..], &["man"], &["login", "--help"], &["token", "--help"]] {
        // The manual escapes hyphens.
        let text = desk.run(page).stdout.replace('\\', "");
        for words in ["--proxy", "--cacert", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"] {
            assert!(text.contains(words), "{page:?}: {words}");
        }
    }
    for command in ["completions", "demo", "man", "status"] {
        let help = desk.run(&[command, "--help"]).stdout;
        assert!(!help.contains("--proxy") && !help.contains("--cacert"), "{help}");
    }
}

#[track_caller]
fn assert_no_password(run: &Run) {
    for secret in [PASSWORD, AUTHORIZATION.trim_start_matches("Basic ")] {
        assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{run:?}");
    }
}
