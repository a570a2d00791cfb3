//! Integration tests: the program as its users call it.

mod demo;
mod dependencies;
mod library;
mod refusals;
mod rig;
mod secrecy;
mod transcripts;
