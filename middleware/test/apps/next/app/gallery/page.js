export default function Page() {
  return <p>photos</p>;
}
