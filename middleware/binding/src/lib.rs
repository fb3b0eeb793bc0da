//! The border to JavaScript hosts.
