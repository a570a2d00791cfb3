//! blindtier facade.
