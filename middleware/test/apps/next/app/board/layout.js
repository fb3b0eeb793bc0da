/** Two pages beside each other (parallel routes). */
export default function Board({ children, side }) {
  return (
    <main>
      {children}
      {side}
    </main>
  );
}
