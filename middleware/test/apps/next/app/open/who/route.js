import { told } from "../../../lib/told.js";

/** Public: who is asking, by the request and by its headers. */
export async function GET(request) {
  return Response.json({ request: await told(request), headers: await told() });
}
