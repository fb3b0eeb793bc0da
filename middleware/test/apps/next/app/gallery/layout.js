/** Shows a photo within itself, at the photo's own address (intercepting routes). */
export default function Gallery({ children, modal }) {
  return (
    <main>
      <p>kept-by-gallery-7f3a</p>
      {children}
      {modal}
    </main>
  );
}
