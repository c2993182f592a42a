//! Hostile inputs as data: each case of `tests/corpus/*.json` has one verdict, in the core and in both adapters.

mod adapter;
mod answers;
mod callback;
mod challenges;
mod data;
mod device;
mod dpop;
mod files;
mod id_token;
mod json;
mod listener;
mod metadata;
mod providers;
mod push;
mod token;
mod uris;
