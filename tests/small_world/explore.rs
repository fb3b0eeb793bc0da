//! The explorer: every order of the steps of a small world, each path from its beginning.
//!
//! Engines cannot be copied, so a path is played anew for each of its ends. Of two steps that touch
//! different things only one order is gone (sleep sets, Godefroid 1996): every state that can be
//! reached is reached all the same.

use std::collections::BTreeMap;
use std::time::Instant;

use doorward::Engine;

use crate::setups::{Plan, Setup};
use crate::world::{Step, Touch, World, engines};

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Paths that were played to their end.
    pub(crate) paths: u64,
    /// States that were reached: one for each beginning of a path.
    pub(crate) states: u64,
    /// Beginnings after which nothing new would have come.
    pub(crate) cut: u64,
    /// What became of requests.
    pub(crate) ends: BTreeMap<&'static str, u64>,
    /// What must not be: how often, and the shortest story of it.
    pub(crate) wrong: BTreeMap<&'static str, (u64, Story)>,
}

/// A path on which something must not have been.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) setup: String,
    pub(crate) how: String,
    pub(crate) sentences: Vec<String>,
    length: (usize, usize),
}

impl Seen {
    pub(crate) fn add(&mut self, other: Self) {
        self.paths += other.paths;
        self.states += other.states;
        self.cut += other.cut;
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
        for (what, (count, story)) in other.wrong {
            match self.wrong.get_mut(what) {
                Some((before, shortest)) => {
                    *before += count;
                    if story.length < shortest.length {
                        *shortest = story;
                    }
                }
                None => drop(self.wrong.insert(what, (count, story))),
            }
        }
    }
}

/// A state, and the steps that can follow.
struct Frame {
    steps: Vec<(Step, Touch)>,
    next: usize,
    asleep: Vec<(Step, Touch)>,
}

/// Explores what these plans can come to; nothing where it is later than that.
pub(crate) fn explore(setup: &Setup, plans: &[Plan], until: Option<Instant>) -> Option<Seen> {
    let mut seen = Seen::default();
    let mut frames: Vec<Frame> = Vec::new();
    let mut engines = engines(setup);
    loop {
        if until.is_some_and(|until| Instant::now() > until) {
            return None;
        }
        engines = engines.into_iter().map(Engine::restarted).collect();
        let mut world = World::new(setup, plans, engines, false);
        for frame in &frames {
            world.take(frame.steps[frame.next].0);
        }
        // On to an end, always by the first step that is awake.
        loop {
            let asleep = frames.last().map_or(Vec::new(), asleep_after);
            let steps: Vec<(Step, Touch)> =
                world.steps().into_iter().map(|step| (step, world.touch(step))).collect();
            let is_end = steps.is_empty();
            let awake: Vec<(Step, Touch)> = steps
                .into_iter()
                .filter(|(step, _)| !asleep.iter().any(|(other, _)| other == step))
                .collect();
            seen.states += 1;
            if is_end {
                world.close();
                seen.paths += 1;
                for (end, count) in world.ends() {
                    *seen.ends.entry(end).or_default() += count;
                }
                note(&mut seen, setup, plans, &frames, &world);
                break;
            }
            let Some((step, _)) = awake.first().copied() else {
                seen.cut += 1;
                break;
            };
            frames.push(Frame { steps: awake, next: 0, asleep });
            world.take(step);
        }
        engines = world.into_engines();
        // Back to the last state in which there is another step.
        loop {
            let Some(frame) = frames.last_mut() else { return Some(seen) };
            frame.next += 1;
            if frame.next < frame.steps.len() {
                break;
            }
            frames.pop();
        }
    }
}

/// What need not be taken after a frame's step: what has been taken in its place, and touches
/// nothing of it.
fn asleep_after(frame: &Frame) -> Vec<(Step, Touch)> {
    let (_, touch) = frame.steps[frame.next];
    let before = frame.asleep.iter().chain(&frame.steps[..frame.next]);
    before.filter(|(_, other)| touch.is_apart_from(other)).copied().collect()
}

fn note(seen: &mut Seen, setup: &Setup, plans: &[Plan], frames: &[Frame], world: &World<'_>) {
    let mut noted: Vec<&'static str> = Vec::new();
    for wrong in world.wrong() {
        if noted.contains(&wrong.what) {
            continue;
        }
        noted.push(wrong.what);
        let length = (plans.len(), frames.len());
        let count = seen.wrong.get(wrong.what).map_or(0, |(count, _)| *count) + 1;
        if let Some((before, story)) = seen.wrong.get_mut(wrong.what)
            && story.length <= length
        {
            *before = count;
            continue;
        }
        let mut again = World::new(setup, plans, engines(setup), true);
        for frame in frames {
            again.take(frame.steps[frame.next].0);
        }
        again.close();
        let story = Story {
            setup: setup.to_string(),
            how: wrong.how.clone(),
            sentences: again.story(),
            length,
        };
        seen.wrong.insert(wrong.what, (count, story));
    }
}
