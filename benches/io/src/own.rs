//! What the adapters allocate themselves in one exchange: all of it, less that of the same HTTP request without them. The sums
//! are measured; the parts are read off the sources, and the last is what remains.
//!
//! | a piece for | proofkey-ureq | proofkey-reqwest |
//! |---|---:|---:|
//! | the form, its length known beforehand | 1 | 1 |
//! | the URL as text, which reqwest parses into a piece of its own | | 1 |
//! | the body, which is read in place and wiped | 1 | 1 |
//! | the access token, the refresh token and the scope, which the caller keeps | 3 | 3 |
//! | the request of the `http` crate, from which reqwest makes its own | | 4 |
//! | the body that reqwest can give only once, and whether it did | | 3 |
//! | the settings of the request, which ureq keeps in the extensions of the `http` crate | 4 | |
//! | what the library takes to read a body to its end, and is not asked to | -7 | -4 |
//! | | 2 | 9 |

use crate::http::{reqwest, ureq};
use crate::measure::runtime;
use crate::memory::{self, Count};
use crate::service::Service;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};

/// What one exchange allocates.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// The adapter.
    pub name: &'static str,
    /// With the adapter.
    pub with: Count,
    /// With the HTTP library alone: the same bytes are sent, and the body is read to its end.
    pub without: Count,
}

impl Own {
    /// The pieces that are the adapter's own.
    #[must_use]
    pub const fn allocations(&self) -> isize {
        self.with.allocations as isize - self.without.allocations as isize
    }

    /// The bytes that are the adapter's own.
    #[must_use]
    pub const fn bytes(&self) -> isize {
        self.with.bytes as isize - self.without.bytes as isize
    }
}

/// Of `proofkey-ureq`.
///
/// # Panics
/// If the server does not answer.
#[must_use]
pub fn of_ureq(origin: &str) -> Own {
    let (service, http, agent, url) = (Service::new(origin), proofkey_ureq::Http::new(), ureq(false), url(origin));
    let with = counted(|| {
        let (pending, query) = service.begin();
        let request = service.accept(pending, &query);
        memory::begin();
        drop(http.exchange(request).expect("tokens"));
        memory::end();
    });
    let without = counted(|| {
        let body = service.body();
        memory::begin();
        let [(accept, json), (content_type, form)] = HEADERS;
        let request = agent.post(&url).header(accept, json).header(content_type, form);
        drop(request.send(&body).and_then(|response| response.into_body().read_to_vec()).expect("an answer"));
        memory::end();
    });
    Own { name: "proofkey-ureq", with, without }
}

/// Of `proofkey-reqwest`.
///
/// # Panics
/// If the server does not answer.
#[must_use]
pub fn of_reqwest(origin: &str) -> Own {
    let (service, url, client) = (Service::new(origin), url(origin), reqwest(false));
    let http = proofkey_reqwest::Http::new().expect("a client");
    let runtime = runtime();
    let with = counted(|| {
        let (pending, query) = service.begin();
        let request = service.accept(pending, &query);
        runtime.block_on(async {
            memory::begin();
            drop(http.exchange(request).await.expect("tokens"));
            memory::end();
        });
    });
    let without = counted(|| {
        let body = service.body();
        runtime.block_on(async {
            memory::begin();
            let [(accept, json), (content_type, form)] = HEADERS;
            let request = client.post(&url).header(accept, json).header(content_type, form).body(body);
            let answer = async { request.send().await?.bytes().await };
            drop(answer.await.expect("an answer"));
            memory::end();
        });
    });
    Own { name: "proofkey-reqwest", with, without }
}

/// The fewest of several: now and then a library allocates for many at once.
fn counted(mut once: impl FnMut()) -> Count {
    let counts = (0..16).map(|_| {
        once();
        memory::so_far()
    });
    counts.min_by_key(|count| count.allocations).unwrap_or_default()
}

fn url(origin: &str) -> String {
    format!("{origin}/token")
}

const HEADERS: [(HeaderName, HeaderValue); 2] = [
    (ACCEPT, HeaderValue::from_static("application/json")),
    (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
];
