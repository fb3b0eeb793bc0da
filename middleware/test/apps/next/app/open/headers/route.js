/** Public: what the application sees of a request that the gate did not see. */
export function GET(request) {
  return Response.json({ url: request.url, headers: Object.fromEntries(request.headers) });
}
