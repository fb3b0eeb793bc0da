/**
 * `node --import doorward/register server.js` puts the gate in front of whatever the program listens with: `node:http`, `node:https`,
 * `node:http2`, static files and WebSockets included. It is configured by the variable `DOORWARD` (JSON text) or the file `doorward.json` in the
 * folder where the program starts; with neither, the preset `better-auth` applies.
 */
export {};
