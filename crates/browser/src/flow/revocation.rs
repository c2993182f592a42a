//! The end of a token.

use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::owner::Owner;
use proofkey_core::{AccessToken, ClientBuf, Flow, RefreshToken, Response, Revocable, RevocationRequest};
use std::rc::Rc;
use zeroize::Zeroize;

pub(crate) struct Revocation {
    client: Rc<ClientBuf>,
    token: String,
    is_refresh: bool,
}

impl Revocation {
    pub(crate) const fn new(client: Rc<ClientBuf>, token: String, is_refresh: bool) -> Self {
        Self { client, token, is_refresh }
    }

    fn flow(&self) -> Result<RevocationRequest<'_>, Failure> {
        let token = match self.is_refresh {
            true => Revocable::Refresh(RefreshToken::new(&self.token)?),
            false => Revocable::Access(AccessToken::new(&self.token)?),
        };
        Ok(self.client.as_client().revoke(token)?)
    }
}

impl Owner for Revocation {
    fn with(&mut self, work: &mut dyn FnMut(&mut dyn Flow)) -> Result<(), Failure> {
        work(&mut self.flow()?);
        Ok(())
    }

    fn read(&self, response: Response<'_>) -> Result<Outcome, Failure> {
        self.flow()?.read(response)?;
        Ok(Outcome::Revoked)
    }
}

impl Drop for Revocation {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}
