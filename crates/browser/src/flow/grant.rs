//! From a redirect to its tokens.

use crate::failure::Failure;
use crate::login::read_pending;
use crate::outcome::Outcome;
use crate::owner::{Owner, once};
use proofkey_core::{ClientBuf, Flow, Redirect, Response, TokenRequest};
use std::rc::Rc;
use zeroize::Zeroize;

pub(crate) struct Grant {
    client: Rc<ClientBuf>,
    pending: String,
    redirect: String,
    is_sent: bool,
}

impl Grant {
    /// Checks the redirect.
    pub(crate) fn new(client: Rc<ClientBuf>, pending: String, redirect: String) -> Result<Self, Failure> {
        let grant = Self { client, pending, redirect, is_sent: false };
        grant.flow()?;
        Ok(grant)
    }

    fn flow(&self) -> Result<TokenRequest<'_>, Failure> {
        Ok(read_pending(&self.pending)?.accept(self.client.as_client(), Redirect::Url(&self.redirect))?)
    }
}

impl Owner for Grant {
    fn with(&mut self, work: &mut dyn FnMut(&mut dyn Flow)) -> Result<(), Failure> {
        self.is_sent = once(self.flow()?, self.is_sent, work);
        Ok(())
    }

    fn read(&self, response: Response<'_>) -> Result<Outcome, Failure> {
        Ok(Outcome::Granted(self.flow()?.read(response)?.into()))
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.pending.zeroize();
        self.redirect.zeroize();
    }
}
