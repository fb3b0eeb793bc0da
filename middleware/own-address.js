// What an origin writes by the name under which the gate reaches it: redirects and cookies that would lead past the gate, or nowhere.
// Frameworks take that name from `Host` (a slash that is missing, a sign-in that is due). It is the gate's to say what the public one is.

const WITH_ADDRESS = ["location", "content-location", "refresh"];

/**
 * The header lines of a response that have to be said otherwise, as the client must see them.
 *
 * @param {{ get: (name: string) => string | null | undefined, cookies: () => string[] }} headers of the origin's response
 * @param {string} origin scheme, host and port under which it was asked
 * @param {string} publicOrigin scheme, host and port that clients see
 * @returns {[name: string, values: string[]][]} nothing where all may stay
 */
export function inPublic(headers, origin, publicOrigin) {
  const edits = [];
  for (const name of WITH_ADDRESS) {
    const value = headers.get(name);
    const edited = value && (name === "refresh" ? refreshed(value, origin, publicOrigin) : publicAddress(value, origin, publicOrigin));
    if (edited && edited !== value) edits.push([name, [edited]]);
  }
  const cookies = headers.cookies();
  const edited = cookies.map((line) => publicCookie(line, hostnameOf(origin), hostnameOf(publicOrigin)));
  if (edited.some((line, at) => line !== cookies[at])) edits.push(["set-cookie", edited]);
  return edits;
}

/** An address at the origin itself, whatever scheme it says, becomes the public one of the same path; any other stays. */
export function publicAddress(address, origin, publicOrigin) {
  const [start, scheme, authority] = /^(?:(https?):)?\/\/([^/?#\\]*)/i.exec(address) ?? [];
  if (start === undefined) return address;
  const own = origin.split("://");
  const port = (authority, scheme) => authority.toLowerCase().replace(/\.?(:\d*)?$/, (_, port = "") => ([":", scheme === "http" ? ":80" : ":443"].includes(port) ? "" : port));
  const written = scheme?.toLowerCase() ?? own[0];
  // A proxy in front says https where the origin hears http, and so the origin may say either.
  const isOwn = port(authority, written) === port(own[1], own[0]);
  return isOwn ? publicOrigin + address.slice(start.length) : address;
}

/** `Refresh: 5; url=…`, as browsers read it. */
function refreshed(value, origin, publicOrigin) {
  return value.replace(/^(\s*[\d.]+\s*[;,]\s*(?:url\s*=\s*)?["']?)(.*)$/is, (_, before, address) => before + publicAddress(address, origin, publicOrigin));
}

/** A cookie for the origin's own host is for no host that browsers know: a browser takes it for the host that it asked, without `Domain`. */
function publicCookie(line, host, publicHost) {
  return line.replace(/;\s*domain\s*=\s*\.?([^;]*)/gi, (attribute, domain) => {
    const named = domain.trim().toLowerCase();
    const isForPublic = publicHost === named || publicHost.endsWith(`.${named}`);
    return named === host && !isForPublic ? "" : attribute;
  });
}

const hostnameOf = (origin) => origin.replace(/^https?:\/\//, "").replace(/:\d+$/, "").toLowerCase();
