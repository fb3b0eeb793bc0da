import { gate } from "doorward/next";
import { config as doorward } from "./doorward.mjs";

export const proxy = gate({ config: doorward });

export const config = { matcher: ["/((?!_next/static/).*)"] };
