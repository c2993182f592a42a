//! Sessions of both adapters against the development server.

mod asynchronous;
mod blocking;
