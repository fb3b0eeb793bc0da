export default function SignIn() {
  return <h1>sign-in page</h1>;
}
