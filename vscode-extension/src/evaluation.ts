/** Evaluating a folder of the workspace, and showing the report. */
import { mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
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
import { chosenInterpreter } from "./interpreter";
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
  if (!workspace.isTrusted) {
    void window.showInformationMessage(
      "Pirouette: an evaluation asks git about the folder, which may run programs that the folder names; trust the workspace first.",
    );
    return;
  }
  const folder = await chosenFolder();
  if (folder === undefined) {
    return;
  }
  const title = `Evaluate completion in ${folder.name}`;
  const size = await window.showQuickPick(SIZES, { title, placeHolder: "The more places, the surer" });
  const program = findProgram(environment);
  if (size === undefined) {
    return;
  }
  if (program === undefined) {
    void window.showInformationMessage("Pirouette: set the server up first.");
    return;
  }
  const own = program === environment.program;
  if (own && !environment.isReady("evaluation") && !(await setUp(environment, log, "evaluation"))) {
    return;
  }
  const report = join(context.globalStorageUri.fsPath, "reports", `${basename(folder.uri.fsPath)}.html`);
  await mkdir(join(report, ".."), { recursive: true });
  const packages = configuration().get("pythonEnvironment", "") || (await chosenInterpreter());
  const options = ["--points", `${size.points}`, "--report", report];
  options.push("--model", configuration().get("model", ""));
  if (packages !== "") {
    options.push("--environment", packages);
  }
  const shown = { location: ProgressLocation.Notification, title: "Pirouette evaluates", cancellable: true };
  const ended = await window.withProgress(shown, async (progress, token) => {
    const onLine = (line: string) => {
      log.info(line);
      progress.report({ message: line.trim().slice(0, 80) });
    };
    const cwd = folder.uri.fsPath; // from which the server, too, reads the paths that are set
    const result = await run(program.command, [...program.args, "eval", cwd, ...options], {
      cwd,
      token,
      onLine,
    });
    return { ...result, stopped: token.isCancellationRequested };
  });
  if (ended.stopped) {
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
  // The page is complete in itself, and has no scripts.
  const shown = { enableScripts: false, localResourceRoots: [] };
  const panel = window.createWebviewPanel("pirouette.report", `Report: ${name}`, ViewColumn.Active, shown);
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
