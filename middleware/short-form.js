// The configuration among the options: `gate({ signIn, public, require })`. What it means and what is wrong with it the core says, as of
// every document: here it only gets its names.

import { isFunction } from "./options.js";

/** What may be written among the options, and the configuration's name of it. */
const MEMBERS = { signIn: "sign_in", public: "public", require: "require", framework: "framework" };

/**
 * The configuration, where it is from, and how its errors are said.
 *
 * @param {object} options
 * @param {string[]} others names of the options that are not about the configuration
 * @param {object} application what the host knows of the application, where no configuration is given
 * @returns {{ config?: object | string, beside?: string[], source: string, say: (error: string[]) => string[] }} `beside`: what is written
 *   among the options although there is a `config`
 */
export function configurationOf(options, others, application) {
  const { config, ...rest } = options;
  const written = Object.entries(rest).filter(([name, value]) => value !== undefined && !others.includes(name));
  const asWritten = (error) => error;
  if (config !== undefined) {
    const beside = written.length > 0 ? written.map(([name]) => name) : undefined;
    return { config, beside, source: "option config", say: asWritten };
  }
  const source = written.length > 0 ? "options" : "preset";
  if (written.length === 0 && Object.keys(application).length === 0) return { source, say: asWritten };
  // A misspelt option stays in the document: the core finds no such member, and says which one is near.
  const members = Object.fromEntries(written.map(([name, value]) => [MEMBERS[name] ?? name, isFunction(value) ? null : value]));
  const say = ([path, problem, hint]) => [asOption(path), problem, hintOf(hint, others)];
  return { config: { extends: "better-auth", ...application, ...members }, source, say };
}

/** The place of an error, by the name of the option. */
function asOption(path) {
  for (const [option, member] of Object.entries(MEMBERS)) {
    if (path === member || path.startsWith(`${member}.`) || path.startsWith(`${member}[`)) return option + path.slice(member.length);
  }
  return path;
}

function hintOf(hint, others) {
  if (hint.startsWith("known here: $schema")) return `known here: ${[...Object.keys(MEMBERS), "config", ...others].join(", ")}`;
  return hint.replaceAll('"sign_in"', '"signIn"');
}
