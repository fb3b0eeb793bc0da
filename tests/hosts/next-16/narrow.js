// The wrong set-up: a matcher that leaves out what asks who it is.
import { gate } from "doorward/next";

export const proxy = gate({ publicOrigin: process.env.PUBLIC_ORIGIN });

export const config = { matcher: ["/nowhere/:path*"] };
