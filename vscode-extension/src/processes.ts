/** Programs that are run to their end. */
import { spawn } from "node:child_process";
import { homedir } from "node:os";
import { createInterface } from "node:readline";
import type { CancellationToken } from "vscode";

export interface Ended {
  /** The exit status; null where it was stopped, or never started. */
  code: number | null;
  output: string;
  /** The last line of what it had to complain of, or why it did not start. */
  complaint: string;
}

export interface Watching {
  token?: CancellationToken;
  /** The folder that it runs in: the user's home where none is named, never by chance a workspace. */
  cwd?: string;
  onLine?: (line: string) => void;
}

/** Never throws; `onLine` sees each line of both streams. */
export function run(command: string, args: readonly string[], watching: Watching = {}): Promise<Ended> {
  return new Promise((resolve) => {
    // A group of its own, so that stopping it stops what it has started.
    const { cwd = homedir() } = watching;
    const child = spawn(command, args, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const output: string[] = [];
    let complaint = "";
    createInterface(child.stdout).on("line", (line) => {
      output.push(line);
      watching.onLine?.(line);
    });
    // A progress bar goes back to the start of its line.
    createInterface(child.stderr).on("line", (line) => {
      complaint = line.trim().replace(/^pirouette: /, "") || complaint; // its name is told anyway
      watching.onLine?.(line);
    });
    const stop = () => {
      if (child.pid !== undefined) {
        process.kill(-child.pid, "SIGTERM");
      }
    };
    const listening = watching.token?.onCancellationRequested(stop);
    process.once("exit", stop); // the window is closed
    const end = (code: number | null, why = complaint || "it ended without a word; see the log") => {
      listening?.dispose();
      process.removeListener("exit", stop);
      resolve({ code, output: output.join("\n"), complaint: why });
    };
    child.on("error", (error) => end(null, error.message));
    child.on("close", (code) => end(code));
  });
}
