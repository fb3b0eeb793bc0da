//! Cloudflare host.
