/** Which program is the server, and what else it can be asked to do. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { Environment } from "./environment";
import { configuration } from "./settings";

export interface Program {
  command: string;
  /** What comes before a subcommand such as `serve`. */
  args: readonly string[];
}

/** The one that the user names, else that of the extension's own environment, else that of the path. */
export function findProgram(environment: Environment): Program | undefined {
  const named = configuration().get("program", "");
  if (named !== "") {
    return onPath(named);
  }
  return environment.isReady() ? environment.program : onPath("pirouette");
}

/** A program by its path, or by a name that PATH has. */
export function onPath(name: string): Program | undefined {
  const folders = isAbsolute(name) ? [""] : (process.env.PATH ?? "").split(delimiter).filter(isAbsolute);
  const command = folders.map((folder) => join(folder, name)).find(isProgram);
  return command === undefined ? undefined : { command, args: [] };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
