//! The one way from handlers to the desk, which is synchronous and may wait for the disk.
//!
//! What runs here is not stopped when the client goes away or the request times out: a write is either not begun or
//! done to its end, and its answer kept for whoever repeats it.

use std::sync::Arc;

use super::problem::Problem;
use super::state::Shared;
use crate::desk::Desk;

/// Runs a use-case on a thread that may wait.
pub(super) async fn blocking<T, E>(
    api: &Shared,
    act: impl FnOnce(&Desk) -> Result<T, E> + Send + 'static,
) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let desk = Arc::clone(&api.desk);
    match tokio::task::spawn_blocking(move || act(&desk)).await {
        Ok(result) => result.map_err(Into::into),
        Err(error) => {
            tracing::error!(%error, "a use-case did not end");
            Err(Problem::panicked())
        }
    }
}
