/** Choosing the model. Fetching it is the server's work, which tells how far it is. */
import { type QuickPickItem, window } from "vscode";
import type { Environment } from "./environment";
import { run } from "./processes";
import { findProgram } from "./program";
import { configuration } from "./settings";

/** What `pirouette models list --json` tells of each. */
interface Model {
  name: string;
  description: string;
  license: string;
  parameters: string;
  download_bytes: number;
  path: string | null;
}

export async function chooseModel(environment: Environment): Promise<void> {
  const program = findProgram(environment);
  if (program === undefined) {
    void window.showInformationMessage("Pirouette: set the server up first.");
    return;
  }
  const listed = await run(program.command, [...program.args, "models", "list", "--json"]);
  if (listed.code !== 0) {
    void window.showErrorMessage(`Pirouette: ${listed.complaint}`);
    return;
  }
  const models = modelsOf(listed.output);
  if (models === undefined) {
    void window.showErrorMessage(
      `Pirouette: ${program.command} lists no models; correct the setting 'pirouette.program'.`,
    );
    return;
  }
  const present = configuration().get("model", "");
  const other: QuickPickItem = { label: "Another…", description: "a Hugging Face id, or a folder" };
  const items = [...models.map((model) => itemOf(model, present)), other];
  const chosen = await window.showQuickPick(items, { title: "The model that completes" });
  const name =
    chosen === other
      ? await window.showInputBox({ title: "A Hugging Face id, or the path of a folder", value: present })
      : chosen?.label;
  if (name?.trim()) {
    await configuration().update("model", name.trim(), true);
  }
}

/** Undefined where a program that is another has told something else. */
function modelsOf(output: string): Model[] | undefined {
  try {
    return (JSON.parse(output) as { models?: Model[] }).models;
  } catch {
    return undefined;
  }
}

function itemOf(model: Model, present: string): QuickPickItem {
  const there = model.path ? "is here" : `${Math.round(model.download_bytes / 1e6)} MB to fetch`;
  return {
    label: model.name,
    description: model.name === present ? "in use" : there,
    detail: `${model.description} · ${model.parameters} parameters · ${model.license}`,
  };
}
