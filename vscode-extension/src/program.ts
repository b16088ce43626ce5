/** Which program is the server. */
import type { Environment } from "./environment";
import { onPath, type Program } from "./path";
import { configuration } from "./settings";

/** The one that the user names, else that of the extension's own environment, else that of the path. */
export function findProgram(environment: Environment): Program | undefined {
  const named = configuration().get("program", "");
  if (named !== "") {
    return onPath(named);
  }
  return environment.isReady() ? environment.program : onPath("pirouette");
}
