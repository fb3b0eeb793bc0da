import { about } from "../about.server.js";

export const loader = async (args) => ({ text: await about("home", args) });

export default function Page({ loaderData }) {
  return <p>{loaderData.text}</p>;
}
