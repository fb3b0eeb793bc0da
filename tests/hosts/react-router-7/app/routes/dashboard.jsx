import { about } from "../about.server.js";

export const loader = async (args) => ({ text: await about("dashboard", args) });

export default function Page({ loaderData }) {
  return <p>{loaderData.text}</p>;
}
