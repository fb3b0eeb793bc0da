import { told } from "../../lib/told.js";

/** Protected: who is asking, in a server component. */
export default async function Page() {
  return <p>{`told=${await told()}.`}</p>;
}
