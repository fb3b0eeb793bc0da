import Link from "next/link";

import { Frame } from "@/components/frame";
import { who } from "@/lib/who";

export const metadata = { title: "Not found" };

/** Only who is signed in gets here: the gate asks for a session on every path that no rule makes public, whether or not there is a page. */
export default async function NotFound() {
  return (
    <Frame at="" who={await who()}>
      <h1>There is no such page</h1>
      <p>
        The address may be misspelt, or the page has gone. <Link href="/">Back to the start</Link>
      </p>
    </Frame>
  );
}
