export const loader = () => ({ text: "content:prerendered" });

export default function Page({ loaderData }) {
  return <p>{loaderData.text}</p>;
}
