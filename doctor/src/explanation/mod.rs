//! Why the gate decides as it does about what somebody pastes: as text for the terminal, as JSON for
//! programs and for the page (`page/`).
//!
//! | module | what it finds out |
//! |---|---|
//! | `paste` | what was pasted, and the request that it stands for |
//! | `way` | the steps of a request's way through the gate, and where it ends |
//! | `moments` | from when until when the decision is the same |
//! | `cookies` | the cookies by themselves: copies, chunks, sizes |
//! | `differences` | claims that are not what is expected, letter by letter |
//! | `ticket` | what can be given to others |
//! | `vector` | the same as a policy test, without anything that is somebody's |

pub(crate) mod cookies;
pub(crate) mod differences;
pub(crate) mod moments;
pub(crate) mod paste;
pub(crate) mod ticket;
pub(crate) mod vector;
pub(crate) mod way;
