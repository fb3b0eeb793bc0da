//! What is published: documents at URLs and values in stores, each as it was some time ago.

use std::collections::BTreeMap;

use crate::service::{Answer, Fault};

/// How a shelf is looked at, and when, and how often that was.
pub(crate) struct Shelf {
    /// What was put there, and when. Nothing: it was taken away.
    put: BTreeMap<String, Vec<(i64, Option<String>)>>,
    /// How late others see what was put there, in milliseconds.
    pub(crate) lag: i64,
    pub(crate) fault: fn(i64) -> Fault,
    /// What was asked for.
    pub(crate) asked: Vec<(i64, String)>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { put: BTreeMap::new(), lag: 0, fault: |_| Fault::None, asked: Vec::new() }
    }
}

impl Shelf {
    pub(crate) fn put(&mut self, place: &str, value: Option<String>, at: i64) {
        self.put.entry(place.to_owned()).or_default().push((at, value));
    }

    fn seen(&self, place: &str, at: i64) -> Option<String> {
        let put = self
            .put
            .get(place)?
            .iter()
            .filter(|(when, _)| *when <= at - self.lag)
            .max_by_key(|(when, _)| *when)?;
        put.1.clone()
    }

    /// What is at a URL; nothing where there is no answer.
    pub(crate) fn fetch(&mut self, url: &str, at: i64) -> Option<Answer> {
        self.asked.push((at, url.to_owned()));
        let answer = |status, body: &str| Answer {
            status,
            set_cookies: Vec::new(),
            body: body.to_owned(),
            after_millis: 20,
        };
        let there = self.seen(url, at).map_or_else(|| answer(404, ""), |body| answer(200, &body));
        match (self.fault)(at) {
            Fault::Down => None,
            Fault::Slow(millis) => Some(Answer { after_millis: millis, ..there }),
            Fault::Status(status) => Some(answer(status, "{}")),
            Fault::Html => Some(answer(200, "<!doctype html>")),
            Fault::Redirect => Some(answer(302, "")),
            Fault::Huge => Some(answer(200, &"[".repeat(300_000))),
            _ => Some(there),
        }
    }

    /// What a store has under a key.
    pub(crate) fn read(&mut self, key: &str, at: i64) -> Option<Answer> {
        self.fetch(key, at)
    }

    pub(crate) fn times_asked(&self, place: &str) -> Vec<i64> {
        self.asked.iter().filter(|(_, asked)| asked == place).map(|(at, _)| *at).collect()
    }
}
