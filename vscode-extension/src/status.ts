/** What the server is doing and what its latest suggestion cost, in the status bar. */
import { type Disposable, MarkdownString, StatusBarAlignment, ThemeColor, window } from "vscode";
import { isOn } from "./settings";

export type State = "off" | "missing" | "starting" | "loading" | "ready" | "failed" | "stopped";

/** What the server tells in `$/pirouette/completed`. */
export interface Completed {
  cancelled: boolean;
  model: string;
  confidence: number;
  tokens: { encoded: number; reused?: number; moved?: number };
  ms: { total?: number };
}

/** A value of `$/progress`. */
export interface ProgressValue {
  kind: "begin" | "report" | "end";
  title?: string;
  message?: string;
  percentage?: number;
}

const INDEXING = "Pirouette: reading the workspace"; // the other long work, during which it answers

const SAID: Record<State, string> = {
  off: "is not running",
  missing: "has no server yet",
  starting: "is starting",
  loading: "is loading its model",
  ready: "is ready",
  failed: "has no model",
  stopped: "has stopped",
};

export class Status implements Disposable {
  private readonly item = window.createStatusBarItem("pirouette", StatusBarAlignment.Right, 100);
  private readonly titles = new Map<string | number, string>();
  private readonly listening: Disposable;
  private state: State = "off";
  private stage = "";
  private indexing = false;
  private latest: Completed | undefined;
  private tokensSaved = 0;
  private tokensRead = 0;

  constructor() {
    this.item.name = "Pirouette";
    this.item.command = "pirouette.menu";
    this.listening = window.onDidChangeActiveTextEditor(() => this.show());
    this.show();
    this.item.show();
  }

  dispose(): void {
    this.listening.dispose();
    this.item.dispose();
  }

  /** The server's life goes on; what it told of its work is over. */
  set(state: State): void {
    this.state = state;
    this.stage = "";
    this.indexing = false;
    this.titles.clear();
    this.show();
  }

  noteProgress(token: string | number, value: ProgressValue): void {
    const title = value.title ?? this.titles.get(token) ?? "";
    this.titles.set(token, title);
    if (value.kind === "end") {
      this.titles.delete(token);
    }
    if (title === INDEXING) {
      this.indexing = value.kind !== "end";
    } else if (value.kind === "end") {
      this.state = value.message === "ready" ? "ready" : "failed";
    } else {
      this.state = "loading";
      this.stage = [value.message, value.percentage && `${value.percentage} %`].filter(Boolean).join(" ");
    }
    this.show();
  }

  noteCompleted(completed: Completed): void {
    this.tokensRead += completed.tokens.encoded;
    if (!completed.cancelled) {
      this.latest = completed;
      this.tokensSaved += (completed.tokens.reused ?? 0) + (completed.tokens.moved ?? 0);
    }
    this.show();
  }

  /** Draw what is known; called as well when settings have changed. */
  show(): void {
    const language = window.activeTextEditor?.document.languageId;
    const on = language === undefined || isOn(language);
    this.item.text = `$(${this.icon(on)}) Pirouette${this.state === "loading" ? ` ${this.stage}` : ""}`;
    this.item.tooltip = this.tooltip(on, language);
    const bad = this.state === "failed" || this.state === "stopped" || this.state === "missing";
    this.item.backgroundColor = bad ? new ThemeColor("statusBarItem.warningBackground") : undefined;
  }

  private icon(on: boolean): string {
    switch (this.state) {
      case "starting":
      case "loading":
        return "loading~spin";
      case "ready":
        return on ? "sparkle" : "circle-slash";
      case "off":
        return "circle-slash";
      default:
        return "warning";
    }
  }

  private tooltip(on: boolean, language: string | undefined): MarkdownString {
    const lines = [`**Pirouette** ${SAID[this.state]}${this.indexing ? " and reads the workspace" : ""}`];
    if (this.state === "ready" && !on) {
      lines.push(`No suggestions are made in ${language}`);
    }
    if (this.latest !== undefined) {
      lines.push(`Model: ${this.latest.model}`);
      lines.push(`Latest suggestion: ${Math.round(this.latest.ms.total ?? 0)} ms`);
      lines.push(`Tokens saved by the cache: ${this.tokensSaved.toLocaleString("en")}`);
      lines.push(`Tokens read: ${this.tokensRead.toLocaleString("en")}`);
    }
    return new MarkdownString(lines.join("  \n"));
  }
}
