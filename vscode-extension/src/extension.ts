/** What the editor calls. It knows which part does what, and nothing of how. */
import { commands, type ExtensionContext, extensions, window, workspace } from "vscode";
import { Counts } from "./counts";
import { Environment } from "./environment";
import { evaluate } from "./evaluation";
import { chooseModel } from "./models";
import { searchApi } from "./search";
import { Server } from "./server";
import { configuration, isOn, SECTION, turn } from "./settings";
import { setUp } from "./setup";
import { Status } from "./status";

let server: Server | undefined;

export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel("Pirouette", { log: true });
  const counts = new Counts(context.globalState);
  const status = new Status();
  const environment = new Environment(context);
  const own = new Server(environment, log, status, counts);
  server = own;

  const actions: Record<string, () => unknown> = {
    setUp: async () => (await setUp(environment, log)) && own.start(),
    toggle: () => configuration().update("enabled", !configuration().get("enabled", true), true),
    toggleLanguage,
    chooseModel: () => chooseModel(environment),
    indexAgain: () => own.ask("pirouette.index"),
    searchApi: () => searchApi(own),
    evaluate: () => evaluate(context, environment, log),
    showCounts: () => showCounts(counts),
    showLog: () => log.show(),
    restart: () => own.start(),
    menu: () => menu(context),
    accepted: () => counts.accept(),
  };
  context.subscriptions.push(
    log,
    status,
    ...Object.entries(actions).map(([name, act]) => commands.registerCommand(`pirouette.${name}`, act)),
    workspace.onDidChangeTextDocument((event) => counts.change(event.document, event.contentChanges)),
    workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration(`${SECTION}.program`)) {
        await own.start();
      } else if (event.affectsConfiguration(SECTION)) {
        status.show();
        await own.sendSettings();
      }
    }),
    workspace.onDidGrantWorkspaceTrust(() => own.start()),
    extensions.onDidChange(() => own.sendSettings()), // another server may be there now, or none any more
  );
  void own.start();
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}

/** Suggestions in the language of the active editor: on where they were off. */
async function toggleLanguage(): Promise<void> {
  const language = window.activeTextEditor?.document.languageId;
  if (language === undefined) {
    void window.showInformationMessage("Pirouette: open a file of the language first.");
    return;
  }
  const on = !isOn(language);
  await turn(language, on);
  void window.showInformationMessage(`Pirouette makes ${on ? "" : "no more "}suggestions in ${language}.`);
}

/** All that can be done, from the status bar. */
async function menu(context: ExtensionContext): Promise<void> {
  const listed: { command: string; title: string }[] = context.extension.packageJSON.contributes.commands;
  const items = listed.map(({ command, title }) => ({ label: title, command }));
  const chosen = await window.showQuickPick(items, { title: "Pirouette" });
  if (chosen !== undefined) {
    await commands.executeCommand(chosen.command);
  }
}

async function showCounts(counts: Counts): Promise<void> {
  const lines = Object.entries(counts.all()).map(([language, { accepted, rejected }]) => {
    const share = Math.round((100 * accepted) / (accepted + rejected));
    return `${language}: ${accepted} of ${accepted + rejected} accepted (${share} %)`;
  });
  const detail = lines.join("\n") || "Nothing was suggested yet.";
  const told = { modal: true, detail: `${detail}\n\nKept on this machine, sent nowhere.` };
  const chosen = await window.showInformationMessage("Suggestions of Pirouette", told, "Clear");
  if (chosen === "Clear") {
    await counts.clear();
  }
}
