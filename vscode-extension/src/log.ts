/** The server's log, each line at the level that the server gives it. */
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { LogOutputChannel } from "vscode";

const LINE = /^\S+ \S+ (debug|info|warning|error|critical) (.*)$/; // after the date and the time

export function relay(input: Readable, log: LogOutputChannel): void {
  let level = "warning";
  createInterface(input).on("line", (line) => {
    const [, told = level, said = line] = LINE.exec(line) ?? []; // or a further line of the same
    level = told;
    if (level === "debug" || level === "info") {
      log[level](said);
    } else if (level === "warning") {
      log.warn(said);
    } else {
      log.error(said);
    }
  });
}
