import { headers } from "next/headers";

/** Rendered for each request. */
export default async function Dashboard() {
  const who = (await headers()).get("x-doorward-subject");
  return (
    <main>
      <p>kept-by-dashboard-7f3a</p>
      <p>subject={who ?? "nobody"}</p>
    </main>
  );
}
