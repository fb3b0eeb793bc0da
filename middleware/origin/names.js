// Where the headers of a request are, and which of their names an application might read as one of the gate's.

/** The headers of Node's request. One that was not read from a connection, as behind serverless-http, has no raw ones. */
export function headersOf({ rawHeaders, headers }) {
  return rawHeaders?.length ? rawHeaders : headers;
}

/**
 * Whether a name begins with `prefix` as an application may read it: CGI and its like know no case and make `_` of `-`, some of any
 * other character as well.
 */
export function isIdentity(name, prefix) {
  return name
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "-")
    .startsWith(prefix);
}

/** What all identity headers begin with, by the name of the assertion's header. */
export function prefixOf(header) {
  return header.slice(0, -"assertion".length);
}
