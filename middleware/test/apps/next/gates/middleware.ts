import { gate } from "doorward/next";
import { config as doorward } from "./doorward.mjs";

export const middleware = gate({ config: doorward });

export const config = { matcher: ["/((?!_next/static/).*)"] };
