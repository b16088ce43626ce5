/** Asking in words for an API of the workspace. */
import { Position, ProgressLocation, Selection, Uri, window } from "vscode";
import type { Server } from "./server";

/** What the server finds. */
interface Hit {
  uri: string;
  line: number; // from 1 on
  name: string;
  signature: string;
  doc: string;
  path: string;
}

export async function searchApi(server: Server): Promise<void> {
  const wish = await window.showInputBox({
    title: "Ask for an API of this workspace",
    placeHolder: "What do you want to do? For example: read the settings of a user",
  });
  if (!wish?.trim()) {
    return;
  }
  const shown = { location: ProgressLocation.Window, title: "Pirouette searches" };
  const hits = await window.withProgress(shown, () => server.ask<Hit[]>("pirouette.search", wish));
  if (hits === undefined) {
    return;
  }
  if (hits.length === 0) {
    void window.showInformationMessage(`Pirouette: nothing was found for '${wish}'.`);
    return;
  }
  const items = hits.map((hit) => ({
    label: hit.signature,
    description: `${hit.path}:${hit.line}`,
    detail: hit.doc.split("\n", 1)[0] ?? "",
    hit,
  }));
  const chosen = await window.showQuickPick(items, { title: wish, matchOnDetail: true });
  if (chosen !== undefined) {
    const line = new Position(chosen.hit.line - 1, 0);
    await window.showTextDocument(Uri.parse(chosen.hit.uri), { selection: new Selection(line, line) });
  }
}
