import { session } from "doorward/session";

export default defineWebSocketHandler({
  async open(peer) {
    const who = await session(peer.request);
    peer.send(`content:socket who:${who?.subject ?? "nobody"} header:${peer.request.headers.get("x-doorward-subject") ?? "none"}`);
  },
});
