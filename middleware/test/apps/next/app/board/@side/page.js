export default function Side() {
  return <p>kept-by-side-7f3a</p>;
}
