import { gate } from "doorward/next";
import { config as doorward } from "./doorward.mjs";

export const proxy = gate({ config: doorward });

// Too narrow: everything else is not judged.
export const config = { matcher: ["/dashboard/:path*"] };
