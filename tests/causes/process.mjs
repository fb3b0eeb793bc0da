// A service in a process of its own, for rows that need another clock: its options are the argument.

import { Lab } from "./lab.mjs";

const lab = new Lab({});
const [options, more] = JSON.parse(process.argv[2]);
const port = await lab.listen(lab.service(options, more).handler);
console.log(port);
// faketime is between: a signal to it would not arrive here.
process.stdin.resume().on("end", () => process.exit(0));
