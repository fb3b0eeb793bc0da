/** Protected: what the application sees of a request. */
export function GET(request) {
  return Response.json({ kept: "kept-by-api-7f3a", headers: Object.fromEntries(request.headers) });
}

/** Protected: the same with a body, which the gate must leave alone. */
export async function POST(request) {
  return Response.json({
    kept: "kept-by-api-7f3a",
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
  });
}
