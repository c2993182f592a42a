//! What the help says below the options.

/// What the configuration file, JSON and the exit codes are.
pub const NOTES: &str = "\
Configuration file:
  [profile.default]              # the profile that --profile names
  provider = \"itwin\"             # or issuer = URL, or authorization_endpoint and token_endpoint
  client_id = \"native-…\"
  redirect_uri = \"http://127.0.0.1/callback\"
  scope = [\"itwin-platform\", \"offline_access\"]
  account = \"default\"
  store = \"file\"                 # or \"keyring\"
  api_hosts = [\"api.example.com\"]
  extra = { prompt = \"consent\" }
  The file is $XDG_CONFIG_HOME/proofkey/config.toml (where that is not set,
  ~/.config/proofkey/config.toml), or what --config or PROOFKEY_CONFIG names.
  Options of `login` win over it. What a login was made with is remembered
  beside its tokens, so that no other command needs its options again. A change
  of the file counts from the next login on (api_hosts: at once).

JSON:
  With --json the standard output holds nothing but JSON, and an error is one
  line on the standard error:
  {\"error\": CODE, \"exit\": NUMBER, \"message\": TEXT, \"advice\": TEXT or null}

Exit codes:
  0    done
  1    something unexpected, such as a full disk
  2    wrong usage or configuration
  3    a login is needed: `proofkey login`
  4    refused, by the user at the browser or by the authorization server
  5    the server cannot be reached, or is out of order
  6    timed out
  7    the API refused the call (status 400 or more)
  130  interrupted";

/// How to use `demo`.
pub const DEMO_EXAMPLES: &str = "\
Nothing is kept, and nothing leaves this machine.

Examples:
  proofkey demo
  proofkey demo --auto
  proofkey demo --spa";

/// How to use `login`.
pub const LOGIN_EXAMPLES: &str = "\
Examples:
  proofkey login --provider itwin --client-id native-1a2b3c
  proofkey login --issuer https://login.example.com --client-id my-app \\
    --scope offline_access
  proofkey login --profile work --paste --redirect-uri https://app.example.com/signed-in";

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
and nowhere else. A server on this machine may call any port of this machine.
No redirect is followed. A token that the API no longer takes is renewed, and
the call is tried once more.

Examples:
  proofkey call https://api.bentley.com/itwins/ \\
    -H 'Accept: application/vnd.bentley.itwin-platform.v1+json'
  proofkey call https://api.example.com/things -d '{\"name\":\"bridge\"}'
  proofkey call https://api.example.com/things/7 -X PUT -d @thing.json -o answer.json
  proofkey call https://api.example.com/things --json";

/// How to use `status`.
pub const STATUS_EXAMPLES: &str = "\
Examples:
  proofkey status
  proofkey status --all --json";

/// How to use `logout`.
pub const LOGOUT_EXAMPLES: &str = "\
Where the server is down, its tokens stay valid: they are then kept, so that
`logout` can be tried again.

Examples:
  proofkey logout
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
