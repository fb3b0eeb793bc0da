//! The decision vectors, played by this server's own code, behind the feature `conformance`.
//!
//! A vector brings the clock and what effects come back with, and hears what was decided;
//! everything between is the server as it ships.
