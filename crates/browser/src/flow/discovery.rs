//! From an issuer to its endpoints.

use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::owner::Owner;
use proofkey_core::{Flow, NoMetadata, Response};

/// The search for an issuer's metadata, from one well-known address to the next.
pub(crate) struct Discovery {
    issuer: String,
    tried: NoMetadata,
}

impl Discovery {
    /// Begins with the first address.
    pub(crate) fn new(issuer: String) -> Result<Self, Failure> {
        let tried = proofkey_core::Discovery::new(&issuer)?.tried();
        Ok(Self { issuer, tried })
    }

    fn flow(&self) -> Result<proofkey_core::Discovery<'_>, Failure> {
        // The browser's console shows every miss.
        Ok(proofkey_core::Discovery::after(&self.issuer, self.tried)?.openid_first())
    }
}

impl Owner for Discovery {
    fn with(&mut self, work: &mut dyn FnMut(&mut dyn Flow)) -> Result<(), Failure> {
        let mut flow = self.flow()?;
        work(&mut flow);
        self.tried = flow.tried();
        Ok(())
    }

    fn read(&self, response: Response<'_>) -> Result<Outcome, Failure> {
        Ok(Outcome::Found(self.flow()?.read(response)?.server().into()))
    }

    fn over(&self) -> Failure {
        Failure::Over(self.tried.at(&self.issuer).to_string())
    }
}
