import { told } from "../../../lib/told.js";

async function act() {
  "use server";
  return told();
}

/** Public: who is asking, in a server component and in a server action. */
export default async function Page() {
  const said = await told();
  return (
    <form action={act}>
      <p>{`told=${said}.`}</p>
    </form>
  );
}
