//! The parts of the help below the options.

/// The configuration file, JSON and the exit codes.
pub const NOTES: &str = "\
Configuration file:
  [profile.default]              # the profile that --profile names
  provider = \"itwin\"             # or issuer = URL, or authorization_endpoint, token_endpoint
                                 # and the server's other endpoints, by their names in metadata
  client_id = \"native-…\"
  embedded_secret_file = \"id.txt\" # or embedded_secret = \"…\"; only you may read the file
  embedded_secret_in_header = true # as --embedded-secret-in-header
  redirect_uri = \"http://127.0.0.1/callback\"
  push = true                    # as --push
  dpop = true                    # as --dpop
  scope = [\"itwin-platform\", \"offline_access\"]
  account = \"default\"
  store = \"file\"                 # or \"keyring\"
  api_hosts = [\"api.example.com\"]
  extra = { prompt = \"consent\" }
  proxy = \"http://proxy.example.com:3128\"
  cacert = \"company.pem\"         # beside this file, or a whole path
  The file is $XDG_CONFIG_HOME/proofkey/config.toml (if that is not set,
  ~/.config/proofkey/config.toml), or the one that --config or PROOFKEY_CONFIG
  names. `login --save` adds a profile to it. Options of `login` override it. The
  settings of a login are remembered, so that no other command needs its options,
  nor the next login (`logout --forget-settings` forgets them). A change of the
  file takes effect at the next login (api_hosts, proxy, cacert: at once).

Network:
  Requests go through the proxy that --proxy, `proxy` in the file, HTTPS_PROXY
  or ALL_PROXY names, in this order: http://HOST:PORT or https://HOST:PORT, with
  USER:PASSWORD@ before HOST if it wants a password. The hosts in NO_PROXY and
  this machine are reached without it. Others on this machine can see a password
  on the command line; write it in the file or the environment. Servers must
  have a certificate of an authority that the system trusts; on Linux,
  SSL_CERT_FILE and SSL_CERT_DIR name others. With --cacert, or `cacert` in the
  file, only the authorities in that file are trusted.

JSON:
  With --json, before or after the subcommand, standard output has nothing but
  JSON, and an error is one line on standard error:
  {\"error\": CODE, \"exit\": NUMBER, \"message\": TEXT, \"advice\": TEXT or null}

Exit codes:
  0    done
  1    something unexpected, such as a full disk
  2    wrong usage or configuration, or a newer version wrote the stored sign-in
  3    you must sign in: `proofkey login`
  4    refused, by the user in the browser or by the authorization server
  5    the server cannot be reached or does not work
  6    timed out, or the code for another device expired
  7    the API refused the call (status 400 or more), or wants you to sign in again
  130  interrupted";

/// How to use `demo`.
pub const DEMO_EXAMPLES: &str = "\
Nothing is stored, and nothing leaves this machine.

Examples:
  proofkey demo
  proofkey demo --auto
  proofkey demo --spa";

/// How to use `login`.
pub const LOGIN_EXAMPLES: &str = "\
Without a browser on this machine, such as over SSH or in a container, you sign in
on another device: open the address there and enter the code, or scan the QR code
that a terminal shows. This happens without --device if no browser can be opened here,
the server has a device authorization endpoint, and you do not ask for another way.

Tokens of --dpop are bound to a key, which is stored with them: use `proofkey call`.

Examples:
  proofkey login --provider itwin --client-id native-1a2b3c
  proofkey login --issuer https://login.example.com --client-id my-app \\
    --scope offline_access
  proofkey login --provider github --client-id Iv1.8a61f9b3a7aba766 --device
  proofkey login --provider google --client-id 123.apps.googleusercontent.com \\
    --embedded-secret-file google.txt --scope 'openid email'
  proofkey login --issuer https://login.example.com --client-id my-app --push --dpop
  proofkey login --profile work --paste --redirect-uri https://app.example.com/signed-in
  proofkey login --profile work --issuer https://login.example.com --client-id my-app --save
  proofkey login --proxy http://proxy.example.com:3128 --cacert company.pem";

/// How to use `token`.
pub const TOKEN_EXAMPLES: &str = "\
Examples:
  proofkey token --min-valid 600
  curl -H @<(printf 'Authorization: Bearer %s' \"$(proofkey token)\") URL
  proofkey token --json";

/// How to use `call`.
pub const CALL_EXAMPLES: &str = "\
The token is sent to the hosts that the profile allows (`api_hosts`, --api-host;
for --provider itwin api.bentley.com), to the authorization server's own host,
and nowhere else. A token from a server on this machine may go to any port of
this machine. Redirects are not followed. If the API does not accept a token that
is more than a minute old, the token is renewed and the call is made once more. If
the API wants you to sign in more recently or in another way, the exit code is 7 and
the advice is the exact `proofkey login` to run.

Examples:
  proofkey call https://api.bentley.com/itwins/ \\
    -H 'Accept: application/vnd.bentley.itwin-platform.v1+json'
  proofkey call https://api.example.com/things -d '{\"name\":\"bridge\"}'
  proofkey call https://api.example.com/things/7 -X PUT -d @thing.json -o answer.json
  proofkey call https://api.example.com/things --json";

/// How to use `status`.
pub const STATUS_EXAMPLES: &str = "\
The user is shown if the scope openid was granted. There is a warning if the account is
named after somebody else: by an email address, or by the name of a user who has signed
in under it before. Any other name is a label, such as `work`.

Examples:
  proofkey status
  proofkey status --all --json";

/// How to use `logout`.
pub const LOGOUT_EXAMPLES: &str = "\
If the server cannot be reached, its tokens stay valid: they are kept, so that you
can run `logout` again. A sign-in that a newer version of proofkey wrote is kept
too: this version can neither read nor revoke its tokens. --browser needs the scope
openid at the sign-in, and a server with an end session endpoint.

Examples:
  proofkey logout
  proofkey logout --browser
  proofkey logout --profile work --forget-anyway";

/// How to use `completions`.
pub const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  proofkey completions bash > ~/.local/share/bash-completion/completions/proofkey
  proofkey completions zsh > ~/.zfunc/_proofkey";

/// How to use `man`.
pub const MAN_EXAMPLES: &str = "\
Examples:
  proofkey man > ~/.local/share/man/man1/proofkey.1
  proofkey man | man -l -";
