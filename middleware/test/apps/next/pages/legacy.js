/** The Pages Router: its data is also served as JSON under `/_next/data`. */
export default function Legacy({ secret }) {
  return <p>{secret}</p>;
}

export async function getServerSideProps() {
  return { props: { secret: "kept-by-legacy-7f3a" } };
}
