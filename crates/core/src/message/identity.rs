//! [`Identity`]: how a client says which one it is (RFC 6749 sections 2.3.1 and 3.2.1).

use crate::wire::base64::Padded;
use crate::wire::form::{FieldWriter, Value, encode};
use core::fmt::{self, Write};

/// The id of a client and its embedded secret, if it has one, on their way to the server.
#[derive(Clone, Copy)]
pub(crate) struct Identity<'a> {
    pub(crate) id: &'a str,
    pub(crate) secret: Option<(&'a str, Place)>,
}

/// The place of an embedded secret in a request, and what writes it there: a program without a secret has no code for it.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Body(fn(&str, &mut FieldWriter<'_>) -> fmt::Result),
    Header(fn(&str, &str, &mut dyn Write) -> fmt::Result),
}

impl Place {
    pub(crate) const BODY: Self = Self::Body(field);
    pub(crate) const HEADER: Self = Self::Header(header);
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Body(_), Self::Body(_)) | (Self::Header(_), Self::Header(_)))
    }
}

impl Eq for Place {}

impl Identity<'_> {
    /// Whether the client is named in the header, and thus not in the body: some servers, such as Okta's, refuse it in both.
    pub(crate) const fn is_in_header(&self) -> bool {
        matches!(self.secret, Some((_, Place::Header(_))))
    }

    /// Writes the client's id to a form.
    pub(crate) fn write_id(&self, fields: &mut FieldWriter<'_>) -> fmt::Result {
        if self.is_in_header() { Ok(()) } else { fields.field("&client_id=", Value::Plain(self.id)) }
    }

    /// Writes the secret to a form, after the fields of the flow.
    pub(crate) fn write_secret(&self, fields: &mut FieldWriter<'_>) -> fmt::Result {
        match self.secret {
            Some((secret, Place::Body(write))) => write(secret, fields),
            _ => Ok(()),
        }
    }

    /// Writes the value of the header `Authorization`, if there is one.
    pub(crate) fn write_header(&self, out: &mut dyn Write) -> fmt::Result {
        match self.secret {
            Some((secret, Place::Header(write))) => write(self.id, secret, out),
            _ => Ok(()),
        }
    }
}

fn field(secret: &str, fields: &mut FieldWriter<'_>) -> fmt::Result {
    fields.field("&client_secret=", Value::Plain(secret))
}

/// RFC 7617, with both parts encoded as in a form before that.
fn header(id: &str, secret: &str, out: &mut dyn Write) -> fmt::Result {
    out.write_str("Basic ")?;
    let mut padded = Padded::new(out);
    encode(id, &mut padded)?;
    padded.write_str(":")?;
    encode(secret, &mut padded)?;
    padded.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_equals_itself_only() {
        assert!(Place::BODY == Place::BODY && Place::HEADER == Place::HEADER && Place::BODY != Place::HEADER);
    }
}
