/** The Python environment that the user has chosen for a workspace, in Microsoft's extension for Python. */
import { type Event, extensions, type Uri, workspace } from "vscode";

interface Environments {
  getActiveEnvironmentPath(): { path: string };
  readonly onDidChangeActiveEnvironmentPath: Event<unknown>;
  /** What is known of it; no environment where it is a Python of the whole machine. */
  resolveEnvironment(at: { path: string }): Promise<{ environment?: { folderUri: Uri } } | undefined>;
}

/** Its folder; empty where there is none, or where the workspace is not trusted to choose one. */
export async function chosenInterpreter(): Promise<string> {
  if (!workspace.isTrusted) {
    return "";
  }
  try {
    const environments = await knownEnvironments();
    const found = await environments?.resolveEnvironment(environments.getActiveEnvironmentPath());
    return found?.environment?.folderUri.fsPath ?? "";
  } catch {
    return ""; // what that extension cannot tell, its own messages explain
  }
}

/** The chosen one, and whoever has looked once is told when it becomes another. */
export class Interpreter {
  folder = "";
  private followed: Environments | undefined;

  constructor(private readonly onChange: () => void) {}

  async look(): Promise<void> {
    this.folder = await chosenInterpreter();
    const environments = workspace.isTrusted ? await knownEnvironments().catch(() => undefined) : undefined;
    if (this.followed !== environments) {
      this.followed = environments;
      environments?.onDidChangeActiveEnvironmentPath(() => this.lookAgain());
    }
  }

  private async lookAgain(): Promise<void> {
    const folder = await chosenInterpreter();
    if (this.folder !== folder) {
      this.folder = folder;
      this.onChange();
    }
  }
}

async function knownEnvironments(): Promise<Environments | undefined> {
  const extension = extensions.getExtension<{ environments?: Environments }>("ms-python.python");
  return (await extension?.activate())?.environments;
}
