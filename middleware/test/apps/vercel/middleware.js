import { gate } from "doorward/vercel";
import { config as doorward } from "./doorward.mjs";

export default gate({ config: doorward });

export const config = { runtime: "edge" };
