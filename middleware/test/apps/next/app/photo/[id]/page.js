/** Public. */
export default function Photo() {
  return <p>a photo</p>;
}
