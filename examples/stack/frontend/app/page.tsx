import Link from "next/link";

import { Frame } from "@/components/frame";
import { who } from "@/lib/who";

export default async function Page() {
  const someone = await who();
  return (
    <Frame at="/" who={someone}>
      <h1>Jotter, behind a gate</h1>
      <p>
        {someone ? <>Welcome back, {someone.email}. </> : <>Anybody may read this page. </>}
        <Link href="/account">Your account</Link> and <Link href="/notes">your notes</Link> ask for a session; whoever has none is sent to sign in
        before this app hears of it.
      </p>
      {!someone && (
        <p>
          <a href="/sign-up">Sign up</a> takes a name, any address and a password.
        </p>
      )}
    </Frame>
  );
}
