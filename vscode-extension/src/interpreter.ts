/** The Python environment that the user has chosen for a workspace, in Microsoft's extension for Python. */
import { extensions, workspace } from "vscode";

interface PythonApi {
  environments?: { getActiveEnvironmentPath(): { path: string } };
}

/** Its path; empty where there is none, or where the workspace is not trusted to choose one. */
export async function chosenInterpreter(): Promise<string> {
  const extension = extensions.getExtension<PythonApi>("ms-python.python");
  if (extension === undefined || !workspace.isTrusted) {
    return "";
  }
  try {
    const { environments } = await extension.activate();
    return environments?.getActiveEnvironmentPath().path ?? "";
  } catch {
    return ""; // what that extension cannot tell, its own messages explain
  }
}
