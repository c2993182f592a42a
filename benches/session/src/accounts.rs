//! Accounts, and an order in which they come.

/// The names of so many accounts. The next one to come is rarely near the last in memory.
pub struct Accounts(Vec<String>);

impl Accounts {
    /// So many accounts.
    #[must_use]
    pub fn new(number: usize) -> Self {
        Self((0..number).map(|account| format!("user-{account:06}")).collect())
    }

    /// All names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Who comes at this call.
    #[must_use]
    pub fn at(&self, call: usize) -> &str {
        &self.0[call.wrapping_mul(STEP) % self.0.len()]
    }
}

/// A prime that does not divide a number of accounts.
const STEP: usize = 7_368_787;
