//! A fleet of processes that share a login, at a server without a grace that ends a login if a refresh token is used twice.
//!
//! `FLEET_PROCESSES`, `FLEET_EXPIRIES` and `FLEET_KILLS` make it larger.

mod crash;
mod crowd;
mod fleet;
mod killed;
mod stopped;
