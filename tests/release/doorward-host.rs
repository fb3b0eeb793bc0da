//! A crate that needs `doorward-host`: a host whose engine did not start refuses every request.

use doorward::{Engine, Fetch, UnixTime};
use doorward_host::{Begun, Failure, FinalDecision, Host, OwnedHead, Response, begin};

struct WithoutEngine;

impl Host for WithoutEngine {
    fn with_engine<R>(&self, _: impl FnOnce(&mut Engine) -> R) -> Option<R> {
        None
    }
    fn now(&self) -> UnixTime {
        UnixTime::from_millis(1_795_402_800_000)
    }
    async fn sleep(&self, _: u32) {}
    async fn fetch(&self, _: &Fetch) -> Result<Response, Failure> {
        Err(Failure::Failed)
    }
    fn log(&self, _: &str) {}
}

fn main() {
    let head = OwnedHead {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        public_origin: "https://app.example".to_owned(),
        client_address: None,
    };
    let Begun::Decided(FinalDecision::Reject(refusal)) = begin(&WithoutEngine, &head) else {
        panic!("a request has passed without an engine")
    };
    assert_eq!((refusal.status, refusal.reason.code()), (503, "not_started"));
    println!("decided: not_started");
}
