//! A small world, explored whole: every order in which up to three requests of one session can go
//! their way, and everything that can become of their effects, judged by an oracle that knows the
//! truth.
//!
//! `setups.rs` says what there is, `world.rs` plays one path, `service.rs` is the auth service,
//! `oracle.rs` has the promises, `explore.rs` goes through all paths. A path that breaks a promise
//! is printed as a story.
//!
//! `cargo test --test small_world` goes through a part of it, in a minute at most;
//! `DOORWARD_SMALL_WORLD=all` through all of it.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)] // a test that panics has found something

mod explore;
mod oracle;
#[path = "../timeline/service.rs"]
#[allow(dead_code)] // its pen only
mod pen;
mod service;
mod setups;
#[path = "../support/mod.rs"]
mod support;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use explore::{Seen, explore};
use setups::{Extent, Job, jobs};

/// A part of the world is left for another day when it has taken so long.
const PART_TAKES: Duration = Duration::from_secs(55);

/// Goes through jobs on every core, until then. How many were left.
fn explored(jobs: &[Job], until: Option<Instant>) -> (Seen, usize) {
    let (next, all) = (AtomicUsize::new(0), Mutex::new((Seen::default(), 0)));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let (mut own, mut left) = (Seen::default(), 0);
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match explore(&job.setup, &job.plans, until) {
                        Some(seen) => own.add(seen),
                        None => left += 1,
                    }
                }
                if let Ok(mut all) = all.lock() {
                    all.0.add(own);
                    all.1 += left;
                }
            });
        }
    });
    all.into_inner().unwrap_or_default()
}

fn report(seen: &Seen) {
    for (what, (count, story)) in &seen.wrong {
        println!("\nBROKEN on {count} paths: {what}");
        println!("  {}", story.how);
        println!("  {}", story.setup);
        for sentence in &story.sentences {
            println!("    {sentence}");
        }
    }
}

#[test]
fn every_promise_holds_on_every_path() {
    let extent = if std::env::var("DOORWARD_SMALL_WORLD").is_ok_and(|value| value == "all") {
        Extent::All
    } else {
        Extent::Part
    };
    let began = Instant::now();
    let jobs = jobs(extent);
    let until = (extent == Extent::Part).then(|| began + PART_TAKES);
    let (seen, left) = explored(&jobs, until);
    report(&seen);
    let seconds = began.elapsed().as_secs();
    println!(
        "small world, {extent:?}: {} set-ups with requests, {} paths, {} states, {} beginnings cut as known; {} left for want of time; {seconds} s",
        jobs.len(),
        seen.paths,
        seen.states,
        seen.cut,
        left
    );
    println!("ends: {:?}", seen.ends);
    assert!(seen.wrong.is_empty(), "a promise is broken: {:?}", seen.wrong.keys());
}
