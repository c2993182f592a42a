//! Hostile inputs as data: each case of `tests/corpus/*.json` has one verdict, in the core and in both adapters.

mod corpus {
    mod adapter;
    mod callback;
    mod data;
    mod files;
    mod token;
}
