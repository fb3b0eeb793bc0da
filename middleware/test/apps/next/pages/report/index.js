/** The Pages Router, rendered at build time: its data lies there as a file. */
export default function Report({ secret }) {
  return <p>{secret}</p>;
}

export async function getStaticProps() {
  return { props: { secret: "kept-by-report-7f3a" } };
}
