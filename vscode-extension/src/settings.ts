/** What the user has set, as the server wants it. Which of it is right, the server says. */
import { extensions, workspace } from "vscode";

export const SECTION = "pirouette";

/** Parts that another language server may bring as well: "auto" has them where none is installed. */
const PARTS = ["menu", "hover", "navigation", "rename", "symbols", "diagnostics", "codeActions"];

/** Settings that only this extension reads. */
const OWN = ["program", "python", "languages"];

const PYTHON_SERVERS = [
  "ms-python.vscode-pylance",
  "ms-pyright.pyright",
  "detachhead.basedpyright",
  "astral-sh.ty",
  "meta.pyrefly",
  "ms-python.python", // brings one of its own where it does not use another's
];

export function configuration() {
  return workspace.getConfiguration(SECTION);
}

/** The settings for the server. Code uses the packages of `interpreter` where the user names no other. */
export function serverSettings(interpreter: string): Record<string, unknown> {
  const all = Object.entries(configuration()).filter(
    ([name, value]) => typeof value !== "function" && !OWN.includes(name),
  );
  const settings = Object.fromEntries(all);
  const other = PYTHON_SERVERS.some((name) => extensions.getExtension(name) !== undefined);
  for (const part of PARTS) {
    settings[part] = settings[part] === "auto" ? !other : settings[part] === "on";
  }
  settings.pythonEnvironment ||= interpreter;
  return settings;
}

/** Whether suggestions are wanted in files of a language; `*` stands for those that are not named. */
export function isOn(language: string): boolean {
  const languages = configuration().get<Record<string, boolean>>("languages", {});
  return configuration().get("enabled", true) && (languages[language] ?? languages["*"] ?? true);
}

/** Remember for all workspaces whether suggestions are wanted in a language. */
export async function turn(language: string, on: boolean): Promise<void> {
  const languages = configuration().get<Record<string, boolean>>("languages", {});
  await configuration().update("languages", { ...languages, [language]: on }, true);
}
