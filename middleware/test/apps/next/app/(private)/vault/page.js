/** In a route group, which is no part of the path. */
export default function Vault() {
  return <p>kept-by-vault-7f3a</p>;
}
