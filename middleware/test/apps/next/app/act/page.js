async function act() {
  "use server";
  return "kept-by-action-7f3a";
}

/** A page with a server action. */
export default function Act() {
  return (
    <form action={act}>
      <p>kept-by-act-7f3a</p>
    </form>
  );
}
