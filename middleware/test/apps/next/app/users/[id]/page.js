/** A dynamic segment, which older versions of Next let a query parameter replace. */
export default async function User({ params }) {
  return <p>kept-by-user-7f3a-{(await params).id}</p>;
}
