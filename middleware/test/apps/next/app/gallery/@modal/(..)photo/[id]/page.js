export default function Photo() {
  return <p>kept-by-modal-7f3a</p>;
}
