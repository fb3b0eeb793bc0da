// Plays the subjects in the runtime in which it finds itself: one batch of each per round, those that are compared side by
// side, in an order that turns with the round. The clock of workerd counts whole milliseconds, so a batch takes many.

import { subjectsOn } from "./subjects.js";

/**
 * @param {object} glue
 * @param {object} fixtures
 * @param {{ comparedOnly?: boolean }} [options] leave out what is only shown
 */
export function playerOn(glue, fixtures, { comparedOnly = false } = {}) {
  const all = subjectsOn(glue, fixtures).filter((subject) => subject.isCompared || !comparedOnly);
  const subjects = all.map((subject) => ({ ...subject, iterations: 64 }));

  return { calibrate, round };

  /** Warms everything up, and finds how many calls take so long. */
  async function calibrate(milliseconds) {
    for (const subject of subjects) {
      for (let attempt = 0; attempt < 12; attempt++) {
        const took = await timed(subject);
        if (took >= milliseconds * 0.8) break;
        const factor = took < 2 ? 4 : Math.min(4, (milliseconds * 1.1) / took);
        subject.iterations = Math.ceil(subject.iterations * factor);
      }
    }
  }

  /** One batch of each: microseconds per call, by key and by whose it is. */
  async function round(number) {
    const sample = {};
    for (const key of new Set(subjects.map((subject) => subject.key))) {
      const group = subjects.filter((subject) => subject.key === key);
      sample[key] = {};
      for (let i = 0; i < group.length; i++) {
        const subject = group[(i + number) % group.length];
        sample[key][subject.who] = ((await timed(subject)) * 1000) / subject.iterations;
      }
    }
    return sample;
  }

  async function timed({ prepare, iterations }) {
    const run = await prepare(iterations);
    const begin = performance.now();
    await run();
    return performance.now() - begin;
  }
}
