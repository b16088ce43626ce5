/**
 * The server's own environment: a folder of the extension's storage with a Python environment, in which
 * the server that came with the extension is installed. Nothing is put into the user's own.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CancellationToken, ExtensionContext } from "vscode";
import { alone } from "./lock";
import { onPath, type Program } from "./path";
import { run } from "./processes";

const PYTHONS = ["python3.13", "python3.12", "python3.11", "python3", "python"];
const OLDEST = [3, 11] as const;

/** Something that the user can put right, in words for the user. */
export class SetUpError extends Error {}

export class Environment {
  readonly program: Program;
  private readonly folder: string;
  private readonly wheels: string;
  private readonly version: string;

  constructor(context: ExtensionContext) {
    this.version = context.extension.packageJSON.version;
    this.folder = join(context.globalStorageUri.fsPath, "server");
    this.wheels = join(context.extensionPath, "server");
    // Isolated from the folder it is started in and from PYTHONPATH, which may name that folder: a workspace
    // may have modules of the same names.
    this.program = { command: join(this.folder, "bin", "python"), args: ["-I", "-m", "lsp_server.cli"] };
  }

  /** Written last, so that an installation that was cut off is none. */
  private mark(extra: string): string {
    return join(this.folder, `installed-${this.version}${extra && `-${extra}`}`);
  }

  /** Whether this version of the server is there, with the packages of an extra, and the Python it was made of. */
  isReady(extra = ""): boolean {
    return existsSync(this.mark(extra)) && existsSync(this.program.command);
  }

  /**
   * Install the server, anew where it is there already, or add the packages of an extra; tell what is being
   * done. Throws a `SetUpError` that says what to do; what was cut off is begun anew the next time.
   */
  async install(
    named: string,
    extra: string,
    tell: (step: string) => void,
    token: CancellationToken,
  ): Promise<void> {
    await mkdir(dirname(this.folder), { recursive: true });
    if (!(await alone(`${this.folder}.lock`, () => this.installAlone(named, extra, tell, token)))) {
      throw new SetUpError("is being set up already, here or in another window; wait until that is done");
    }
  }

  private async installAlone(
    named: string,
    extra: string,
    tell: (step: string) => void,
    token: CancellationToken,
  ): Promise<void> {
    const wheel = (await readdir(this.wheels)).find((name) => name.endsWith(".whl"));
    if (wheel === undefined) {
      throw new SetUpError("this package of the extension has no server in it; install it again");
    }
    if (extra === "" || !this.isReady()) {
      const python = await findPython(named);
      tell("making its environment");
      await rm(this.folder, { recursive: true, force: true });
      await step(python, ["-I", "-m", "venv", this.folder], {}, token);
    }
    const what = join(this.wheels, wheel) + (extra && `[${extra}]`);
    const quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"];
    const constraints = ["-c", join(this.wheels, "constraints.txt")];
    const pip = ["-I", "-m", "pip", "install", ...quiet, ...constraints, what];
    await step(this.program.command, pip, { onLine: (line) => tell(shortened(line)) }, token);
    await writeFile(this.mark(extra), "");
  }
}

async function step(
  command: string,
  args: readonly string[],
  watching: { onLine?: (line: string) => void },
  token: CancellationToken,
): Promise<void> {
  const ended = await run(command, args, { ...watching, token });
  if (token.isCancellationRequested) {
    throw new SetUpError("was not set up, as you wished; run 'Pirouette: Set Up the Server' to do it later");
  }
  if (ended.code !== 0) {
    throw new SetUpError(`could not be set up: ${ended.complaint}`);
  }
}

/** What pip says, without the links and paths that do not fit into a line. */
function shortened(line: string): string {
  const [doing, what] = line.trim().split(" ");
  const name = what
    ?.split(/[\\/]/)
    .pop()
    ?.split(/[<>=!;[~-]/)[0];
  return doing === "Installing" ? "putting the packages in place" : `${doing?.toLowerCase()} ${name}`;
}

async function findPython(named: string): Promise<string> {
  for (const name of named === "" ? PYTHONS : [named]) {
    const found = onPath(name);
    if (found !== undefined && (await isNewEnough(found.command))) {
      return found.command;
    }
  }
  const wanted = `Python ${OLDEST.join(".")} or later`;
  throw new SetUpError(
    named === ""
      ? `needs ${wanted}, which was not found; install it, or name it in the setting 'pirouette.python'`
      : `needs ${wanted}, which '${named}' is not; correct the setting 'pirouette.python'`,
  );
}

async function isNewEnough(python: string): Promise<boolean> {
  const ended = await run(python, ["-I", "-c", "import sys; print(*sys.version_info[:2])"]);
  const [major = 0, minor = 0] = ended.output.split(" ").map(Number);
  return ended.code === 0 && (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]));
}
