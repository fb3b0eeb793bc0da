import Link from "next/link";

export default function Home() {
  return (
    <main>
      <h1>front page</h1>
      <Link href="/dashboard">dashboard</Link>
    </main>
  );
}
