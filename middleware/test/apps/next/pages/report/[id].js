/** The same, made when it is first asked for. */
export default function Report({ secret, id }) {
  return (
    <p>
      {secret} {id}
    </p>
  );
}

export async function getStaticPaths() {
  return { paths: [], fallback: "blocking" };
}

export async function getStaticProps({ params }) {
  return { props: { secret: "kept-by-entry-7f3a", id: params.id } };
}
