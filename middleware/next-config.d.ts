export interface CheckOptions {
  /** The gate's configuration, where it is not `doorward.json` beside `next.config`. */
  config?: string;
  /** Whether warnings fail the build as well. Default: `false`. */
  strict?: boolean;
}

/**
 * Wraps Next's configuration: `next build` fails with a sentence that says why where the gate could not start with its configuration, or
 * where Next would not run it. It is `doorward check` on the working directory; `next dev` and `next start` are left alone.
 *
 * ```ts
 * // next.config.ts
 * import { withDoorward } from "doorward/next/config";
 * export default withDoorward({ poweredByHeader: false });
 * ```
 *
 * @param nextConfig the configuration, or a function that gives it
 */
export function withDoorward<C extends object>(
  nextConfig?: C | ((phase: string, context: { defaultConfig: object }) => C | Promise<C>),
  options?: CheckOptions,
): (phase: string, context: { defaultConfig: object }) => Promise<C>;
