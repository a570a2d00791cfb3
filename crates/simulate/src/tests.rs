//! The crate as its user calls it, on data whose answers are counted by hand or by a slower way.

mod brute_force;
mod counted;
mod reading;
