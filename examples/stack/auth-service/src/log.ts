/** One line of JSON. */
export function say(event: string, more: Record<string, unknown> = {}): void {
  console.log(JSON.stringify({ time: new Date().toISOString(), service: "auth", event, ...more }));
}
