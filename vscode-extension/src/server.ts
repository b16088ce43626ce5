/** The server's life as the editor sees it: found, started, lost, started again. */
import { commands, type Disposable, env, type LogOutputChannel, window } from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  TransportKind,
} from "vscode-languageclient/node";
import type { Counts } from "./counts";
import type { Environment } from "./environment";
import { chosenInterpreter } from "./interpreter";
import { relay } from "./log";
import { findProgram } from "./program";
import { configuration, SECTION, serverSettings } from "./settings";
import type { Completed, ProgressValue, Status } from "./status";
import { provideWith } from "./suggestions";

const SCHEMES = ["file", "untitled", "vscode-notebook-cell", "vscode-vfs"];
const MOST_DEATHS = 3; // within these milliseconds; from then on it takes a person to start it again
const REMEMBERED_MS = 180_000;
const PAUSE_MS = 500; // before it is started again, doubled each time

export class Server implements Disposable {
  private client: LanguageClient | undefined;
  private interpreter = "";
  private deaths: number[] = [];

  constructor(
    private readonly environment: Environment,
    private readonly log: LogOutputChannel,
    private readonly status: Status,
    private readonly counts: Counts,
  ) {}

  dispose(): void {
    void this.client?.dispose();
  }

  /** Start it, where there is one; else say what to do. */
  async start(): Promise<void> {
    if (process.platform === "win32") {
      this.status.set("missing");
      void window.showWarningMessage("Pirouette runs on Linux and macOS; open the folder in WSL to use it.");
      return;
    }
    const program = findProgram(this.environment);
    if (program === undefined) {
      this.status.set("missing");
      return this.offerToSetUp();
    }
    this.interpreter = await chosenInterpreter();
    this.deaths = [];
    this.status.set("starting");
    this.log.info(`starting ${[program.command, ...program.args, "serve"].join(" ")}`);
    const { command } = program;
    const args = [...program.args, "serve"];
    const executable = { command, args, transport: TransportKind.stdio };
    const client = new LanguageClient(SECTION, "Pirouette", executable, this.options());
    this.client = client;
    client.onNotification("$/pirouette/completed", (told: Completed) => this.status.noteCompleted(told));
    try {
      await client.start();
    } catch (error) {
      if (this.client === client) {
        this.log.error(String(error));
        this.giveUp("the server does not start");
      }
    }
  }

  async stop(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    this.status.set("off");
    try {
      await client?.dispose(2000);
    } catch (error) {
      this.log.warn(String(error)); // it is gone all the same
    }
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Have the server do one of its commands; undefined where it is not running. */
  async ask<T>(command: string, ...args: unknown[]): Promise<T | undefined> {
    if (!this.client?.isRunning()) {
      void window.showInformationMessage("Pirouette: the server is not running; start it first.");
      return undefined;
    }
    return await this.client.sendRequest<T>("workspace/executeCommand", { command, arguments: args });
  }

  /** Tell the server what has been set. */
  async sendSettings(): Promise<void> {
    if (this.client?.isRunning()) {
      const settings = { [SECTION]: serverSettings(this.interpreter) };
      await this.client.sendNotification("workspace/didChangeConfiguration", { settings });
    }
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: SCHEMES.map((scheme) => ({ scheme })),
      outputChannel: this.log,
      stdioOptions: { stdout: relay, stderr: relay },
      initializationOptions: () => serverSettings(this.interpreter),
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => this.lost(),
      },
      middleware: {
        provideInlineCompletionItems: provideWith(this.counts),
        handleWorkDoneProgress: (token, value, next) => {
          this.status.noteProgress(token, value as ProgressValue);
          next(token, value);
        },
        workspace: {
          configuration: () => [serverSettings(this.interpreter)],
        },
      },
    };
  }

  /** It has ended without being asked to: start it again, unless it does so all the time. */
  private async lost() {
    const now = Date.now();
    this.deaths = [...this.deaths.filter((time) => now - time < REMEMBERED_MS), now];
    if (this.client === undefined) {
      return { action: CloseAction.DoNotRestart, handled: true };
    }
    if (this.deaths.length > MOST_DEATHS) {
      this.giveUp("the server keeps ending");
      return { action: CloseAction.DoNotRestart, handled: true };
    }
    this.log.warn("the server ended and is started again");
    this.status.set("starting");
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** (this.deaths.length - 1)));
    return { action: this.client ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true };
  }

  private giveUp(why: string): void {
    this.status.set("stopped");
    void window.showErrorMessage(`Pirouette: ${why}.`, "Show Log", "Restart").then((chosen) => {
      if (chosen === "Show Log") {
        this.log.show();
      } else if (chosen === "Restart") {
        void this.restart();
      }
    });
  }

  private async offerToSetUp(): Promise<void> {
    const named = configuration().get("program", "");
    if (named !== "") {
      const told = `Pirouette: there is no program '${named}'; correct the setting 'pirouette.program'.`;
      if ((await window.showErrorMessage(told, "Open Settings")) !== undefined) {
        // Settings of a machine are shown with those of the machine that the window works on.
        const open = env.remoteName === undefined ? "openSettings" : "openRemoteSettings";
        await commands.executeCommand(`workbench.action.${open}`, { query: "pirouette.program" });
      }
      return;
    }
    await commands.executeCommand("pirouette.setUp");
  }
}
