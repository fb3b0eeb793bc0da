export default function Page() {
  return <p>kept-by-board-7f3a</p>;
}
