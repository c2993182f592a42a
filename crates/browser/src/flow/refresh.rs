//! From a refresh token to new tokens.

use crate::failure::Failure;
use crate::outcome::{Kept, Outcome};
use crate::owner::{Owner, once};
use crate::tokens::Tokens;
use proofkey_core::{ClientBuf, Flow, RefreshToken, Response, TokenRequest};
use std::rc::Rc;
use zeroize::Zeroize;

pub(crate) struct Refresh {
    client: Rc<ClientBuf>,
    refresh_token: String,
    is_sent: bool,
}

impl Refresh {
    pub(crate) const fn new(client: Rc<ClientBuf>, refresh_token: String) -> Self {
        Self { client, refresh_token, is_sent: false }
    }

    fn flow(&self) -> Result<TokenRequest<'_>, Failure> {
        Ok(self.client.as_client().refresh(RefreshToken::new(&self.refresh_token)?))
    }
}

impl Owner for Refresh {
    fn with(&mut self, work: &mut dyn FnMut(&mut dyn Flow)) -> Result<(), Failure> {
        self.is_sent = once(self.flow()?, self.is_sent, work);
        Ok(())
    }

    fn read(&self, response: Response<'_>) -> Result<Outcome, Failure> {
        let (new, tokens) = self.flow()?.read_keeping(response);
        let new = new.map(|token| token.expose().to_owned());
        Ok(Outcome::Refreshed(Kept::new(new, tokens.map(Tokens::from).map_err(Failure::from))))
    }
}

impl Drop for Refresh {
    fn drop(&mut self) {
        self.refresh_token.zeroize();
    }
}
