//! The encodings on the wire. Nothing here knows OAuth.

pub(crate) mod base64;
pub(crate) mod bytes;
pub(crate) mod date;
pub(crate) mod form;
pub(crate) mod json;
pub(crate) mod uri;
