/** Rendered once, at build time: served from a cache that knows nothing of sessions. */
export default function Archive() {
  return <p>kept-by-archive-7f3a</p>;
}
