import { createGate, type GateOptions } from "doorward";

/** The gate as a function for Elysia's `onRequest`. */
export function gate(options: GateOptions) {
  const { decide } = createGate(options);
  return async ({ request, set, server }: { request: Request; set: { headers: Record<string, any> }; server: any }) => {
    const verdict = await decide(request, { clientAddress: server?.requestIP(request)?.address });
    if (verdict.kind === "answer") return verdict.response;
    // Elysia goes on with the same request, so that one is edited.
    for (const name of verdict.removed) request.headers.delete(name);
    for (const [name, value] of verdict.set) request.headers.set(name, value);
    for (const [name, value] of verdict.responseHeaders) {
      set.headers[name] = name === "set-cookie" ? [...[set.headers[name] ?? []].flat(), value] : value;
    }
  };
}
