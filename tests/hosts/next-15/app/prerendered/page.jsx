export default function Page() {
  return <p>content:prerendered</p>;
}
