/** Programs of this machine, by a path or by a name that PATH has. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

export interface Program {
  command: string;
  /** What comes before a subcommand such as `serve`. */
  args: readonly string[];
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
