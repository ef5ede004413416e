//! The bearer token (RFC 6750): one for the whole API, of which the node keeps only the SHA-256.
//!
//! The token is 256 random bits, so a plain hash is as good as a slow one, and costs each request less than a
//! microsecond. Roles of local users are deliberately absent: the token is the agency's own machine.

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use hmac::digest::CtOutput;
use sha2::{Digest, Sha256};

use super::problem::{Problem, Slug};
use super::state::Shared;

/// What is kept of a token.
pub fn hash_token(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Lets a request pass that carries the token.
pub(super) async fn require_token(
    State(api): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    check(&api.token_hash, &request)?;
    Ok(next.run(request).await)
}

/// The same, where the configuration does not open the metrics to everyone.
pub(super) async fn guard_metrics(
    State(api): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if !api.open_metrics {
        check(&api.token_hash, &request)?;
    }
    Ok(next.run(request).await)
}

fn check(expected: &[u8; 32], request: &Request) -> Result<(), Problem> {
    let refused = |detail: &str| {
        Problem::new(Slug::Unauthorized, detail)
            .hint("send `Authorization: Bearer TOKEN`; the token lies in the file `token` of the data directory")
    };
    let header = request.headers().get(AUTHORIZATION).ok_or_else(|| refused("no token was sent"))?;
    let sent = header.to_str().ok().and_then(|text| text.split_once(' '));
    let (scheme, token) = sent.ok_or_else(|| refused("the Authorization header is not `Bearer TOKEN`"))?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(refused("the Authorization header is not `Bearer TOKEN`"));
    }
    // `CtOutput` compares in constant time.
    let presented = CtOutput::<Sha256>::new(hash_token(token.trim()).into());
    if presented == CtOutput::new((*expected).into()) { Ok(()) } else { Err(refused("the token is not valid")) }
}
