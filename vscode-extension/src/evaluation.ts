/** Evaluating a folder of the workspace, and showing the report. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ExtensionContext,
  type LogOutputChannel,
  ProgressLocation,
  ViewColumn,
  type WorkspaceFolder,
  window,
  workspace,
} from "vscode";
import type { Environment } from "./environment";
import { run } from "./processes";
import { findProgram } from "./program";
import { configuration } from "./settings";
import { setUp } from "./setup";

const SIZES = [
  { label: "20 places", description: "a first look: about five minutes", points: 20 },
  { label: "50 places", description: "about ten minutes", points: 50 },
  { label: "200 places", description: "figures to rely on: about an hour", points: 200 },
];

/** Ask which folder and how thoroughly, run it where it can be watched and stopped, open the report. */
export async function evaluate(
  context: ExtensionContext,
  environment: Environment,
  log: LogOutputChannel,
): Promise<void> {
  const folder = await chosenFolder();
  if (folder === undefined) {
    return;
  }
  const title = `Evaluate completion in ${folder.name}`;
  const size = await window.showQuickPick(SIZES, { title, placeHolder: "The more places, the surer" });
  const program = findProgram(environment);
  if (size === undefined || program === undefined) {
    return;
  }
  const own = program === environment.program;
  if (own && !environment.isReady("evaluation") && !(await setUp(environment, log, "evaluation"))) {
    return;
  }
  const report = join(context.globalStorageUri.fsPath, "reports", `${folder.name}.html`);
  await mkdir(join(report, ".."), { recursive: true });
  const packages = configuration().get("pythonEnvironment", "");
  const options = ["--points", `${size.points}`, "--report", report];
  options.push("--model", configuration().get("model", ""));
  if (packages !== "") {
    options.push("--environment", packages);
  }
  const shown = { location: ProgressLocation.Notification, title: "Pirouette evaluates", cancellable: true };
  const ended = await window.withProgress(shown, (progress, token) => {
    const onLine = (line: string) => {
      log.info(line);
      progress.report({ message: line.trim().slice(0, 80) });
    };
    return run(program.command, [...program.args, "eval", folder.uri.fsPath, ...options], { token, onLine });
  });
  if (ended.code === null) {
    void window.showInformationMessage(
      "Pirouette: the evaluation was stopped; the next one goes on from there.",
    );
  } else if (ended.code !== 0) {
    void window.showErrorMessage(`Pirouette: ${ended.complaint}`);
  } else {
    await open(report, folder.name);
  }
}

async function open(report: string, name: string): Promise<void> {
  const panel = window.createWebviewPanel("pirouette.report", `Report: ${name}`, ViewColumn.Active, {
    enableScripts: true,
    localResourceRoots: [], // the page is complete in itself
  });
  panel.webview.html = await readFile(report, "utf8");
}

async function chosenFolder(): Promise<WorkspaceFolder | undefined> {
  const folders = (workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === "file");
  if (folders.length > 1) {
    return window.showWorkspaceFolderPick({ placeHolder: "Which folder is to be evaluated?" });
  }
  if (folders.length === 0) {
    void window.showInformationMessage("Pirouette: open the folder of a repository to evaluate it.");
  }
  return folders[0];
}
