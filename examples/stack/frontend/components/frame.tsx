import Link from "next/link";
import type { ReactNode } from "react";

import type { Who } from "@/lib/who";

import { SignOut } from "./sign-out";

const PAGES = [
  ["/account", "Account"],
  ["/notes", "Notes"],
] as const;

/** What every page has around it. Not the layout: that one stays when the router moves on, and would keep showing who it was before. */
export function Frame({ at, who, children }: { at: string; who?: Who; children: ReactNode }) {
  return (
    <>
      <a className="skip" href="#content">
        Skip to content
      </a>
      <header>
        <nav aria-label="Pages">
          <Link className="brand" href="/">
            Jotter
          </Link>
          {PAGES.map(([path, name]) => (
            <Link key={path} href={path} aria-current={path === at ? "page" : undefined}>
              {name}
            </Link>
          ))}
          <span className="who">
            {who ? (
              <>
                <span className="name" data-testid="who">{who.email}</span>
                <SignOut />
              </>
            ) : (
              <Link href="/sign-in">Sign in</Link>
            )}
          </span>
        </nav>
      </header>
      <main id="content">{children}</main>
    </>
  );
}
