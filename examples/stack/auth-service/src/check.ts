// `npm run build` ends here: a deployment with a wrong environment is not built.

import { say } from "./log.js";
import { settings } from "./settings.js";

say("environment is good", { url: settings.url, issuer: settings.issuer, audience: settings.audience, jwks: settings.jwksUrl });
