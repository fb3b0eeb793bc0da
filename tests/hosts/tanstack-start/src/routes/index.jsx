import { createFileRoute } from "@tanstack/react-router";
import { createServerFn } from "@tanstack/react-start";
import { about } from "../about.js";

const whoIsIt = createServerFn().handler(() => about("home"));

export const Route = createFileRoute("/")({ loader: () => whoIsIt(), component: Page });

function Page() {
  return <p>{Route.useLoaderData()}</p>;
}
