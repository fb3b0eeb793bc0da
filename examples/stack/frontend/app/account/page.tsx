import { AskApi } from "@/components/ask-api";
import { Frame } from "@/components/frame";
import { requiredWho } from "@/lib/who";

export const metadata = { title: "Account" };

export default async function Page() {
  const someone = await requiredWho();
  return (
    <Frame at="/account" who={someone}>
      <h1>Account</h1>
      <p>Rendered on the server. Who you are says the gate, which has signed it.</p>
      <div className="card">
        <dl>
          <dt>E-mail</dt>
          <dd data-testid="email">{someone.email}</dd>
          <dt>User</dt>
          <dd data-testid="subject">{someone.id}</dd>
          <dt>The gate knows by</dt>
          <dd data-testid="source">{someone.source}</dd>
        </dl>
      </div>
      <h2>From the browser</h2>
      <p>The page’s script asks, the gate checks and signs who you are, this app passes the request on, and the API verifies the signature.</p>
      <AskApi />
    </Frame>
  );
}
