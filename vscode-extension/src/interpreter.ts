/** The Python environment that the user has chosen for a workspace, in Microsoft's extension for Python. */
import { extensions, type Uri, workspace } from "vscode";

interface PythonApi {
  environments?: {
    getActiveEnvironmentPath(): { path: string };
    /** What is known of it; no environment where it is a Python of the whole machine. */
    resolveEnvironment(at: { path: string }): Promise<{ environment?: { folderUri: Uri } } | undefined>;
  };
}

/** Its folder; empty where there is none, or where the workspace is not trusted to choose one. */
export async function chosenInterpreter(): Promise<string> {
  const extension = extensions.getExtension<PythonApi>("ms-python.python");
  if (extension === undefined || !workspace.isTrusted) {
    return "";
  }
  try {
    const { environments } = await extension.activate();
    const found = await environments?.resolveEnvironment(environments.getActiveEnvironmentPath());
    return found?.environment?.folderUri.fsPath ?? "";
  } catch {
    return ""; // what that extension cannot tell, its own messages explain
  }
}
