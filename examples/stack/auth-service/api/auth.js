// A Vercel function; `npm run build` has compiled what it runs.
export { default } from "../dist/function.js";
