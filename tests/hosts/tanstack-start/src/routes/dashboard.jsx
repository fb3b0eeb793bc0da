import { createFileRoute } from "@tanstack/react-router";
import { createServerFn } from "@tanstack/react-start";
import { about } from "../about.js";

const whoIsIt = createServerFn().handler(() => about("dashboard"));

export const Route = createFileRoute("/dashboard")({ loader: () => whoIsIt(), component: Page });

function Page() {
  return <p>{Route.useLoaderData()}</p>;
}
