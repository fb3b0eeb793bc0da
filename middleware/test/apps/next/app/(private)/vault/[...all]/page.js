/** Catches whatever is below, `.rsc` and all. */
export default async function Deep({ params }) {
  return <p>kept-by-deep-7f3a {(await params).all.join(" ")}</p>;
}
