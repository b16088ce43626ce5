/** The server's life as the editor sees it: found, started, lost, started again. */
import { commands, env, type LogOutputChannel, window } from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  State,
  TransportKind,
} from "vscode-languageclient/node";
import type { Counts } from "./counts";
import type { Environment } from "./environment";
import { Interpreter } from "./interpreter";
import { relay } from "./log";
import { findProgram } from "./program";
import { configuration, SECTION, serverSettings } from "./settings";
import type { Completed, ProgressValue, Status } from "./status";
import { provideWith } from "./suggestions";

const SCHEMES = ["file", "untitled", "vscode-notebook-cell", "vscode-vfs"];
const MOST_DEATHS = 3; // within these milliseconds; from then on it takes a person to start it again
const REMEMBERED_MS = 180_000;
const PAUSE_MS = 500; // before it is started again, doubled each time

/** Its failures go to the log; what the user has to know of them is told below, once. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export class Server {
  private client: LanguageClient | undefined;
  private readonly interpreter = new Interpreter(() => void this.sendSettings());
  private deaths: number[] = [];
  /** Done once all that was asked for is done. */
  private turn: Promise<void> = Promise.resolve();
  private asked = 0;

  constructor(
    private readonly environment: Environment,
    private readonly log: LogOutputChannel,
    private readonly status: Status,
    private readonly counts: Counts,
  ) {}

  /** Start it, in place of the one that is there; where there is none to start, say what to do. */
  async start(): Promise<void> {
    this.deaths = [];
    await this.replace((isLatest) => this.launch(isLatest));
  }

  async stop(): Promise<void> {
    await this.replace(async () => {});
  }

  /**
   * End the client that is there, then do what is next: one after the other, as two clients would both
   * register the server's commands. What is next can see whether more was asked for meanwhile.
   */
  private replace(next: (isLatest: () => boolean) => Promise<void>): Promise<void> {
    const { client } = this;
    const mine = ++this.asked;
    this.client = undefined;
    this.status.set("off");
    if (client?.state === State.Starting) {
      client.serverProcess?.kill(); // it cannot be asked to end before it has answered
    }
    this.turn = this.turn.then(async () => {
      await this.end(client);
      await next(() => mine === this.asked);
    });
    return this.turn;
  }

  private async end(client: LanguageClient | undefined): Promise<void> {
    if (client?.isRunning()) {
      try {
        await client.dispose();
      } catch (error) {
        this.log.warn(String(error)); // it is gone all the same
      }
    }
  }

  private async launch(isLatest: () => boolean): Promise<void> {
    if (process.platform === "win32") {
      this.status.set("missing");
      void window.showWarningMessage("Pirouette runs on Linux and macOS; open the folder in WSL to use it.");
      return;
    }
    await this.interpreter.look();
    if (!isLatest()) {
      return;
    }
    const program = findProgram(this.environment);
    if (program === undefined) {
      this.status.set("missing");
      void this.offerToSetUp(); // and starts it, in a turn of its own
      return;
    }
    this.status.set("starting");
    const { command } = program;
    const args = [...program.args, "serve"];
    this.log.info(`starting ${[command, ...args].join(" ")}`);
    const executable = { command, args, transport: TransportKind.stdio };
    const options = this.options(() => void this.lost(client));
    const client: LanguageClient = new QuietClient(SECTION, "Pirouette", executable, options);
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
      const settings = { [SECTION]: serverSettings(this.interpreter.folder) };
      await this.client.sendNotification("workspace/didChangeConfiguration", { settings });
    }
  }

  private options(lost: () => void): LanguageClientOptions {
    return {
      documentSelector: SCHEMES.map((scheme) => ({ scheme })),
      outputChannel: this.log,
      stdioOptions: { stdout: relay, stderr: relay },
      initializationOptions: () => serverSettings(this.interpreter.folder),
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          lost();
          return { action: CloseAction.DoNotRestart, handled: true }; // another client is started
        },
      },
      middleware: {
        provideInlineCompletionItems: provideWith(this.counts),
        handleWorkDoneProgress: (token, value, next) => {
          this.status.noteProgress(token, value as ProgressValue);
          next(token, value);
        },
        workspace: {
          configuration: () => [serverSettings(this.interpreter.folder)],
        },
      },
    };
  }

  /** It has ended without being asked to: start another one, unless it does so all the time. */
  private async lost(client: LanguageClient): Promise<void> {
    if (this.client !== client || !client.isRunning()) {
      return; // it was not wanted any more, or never started, which is told where it is started
    }
    const now = Date.now();
    this.deaths = [...this.deaths.filter((time) => now - time < REMEMBERED_MS), now];
    if (this.deaths.length > MOST_DEATHS) {
      this.giveUp("the server keeps ending");
      return;
    }
    this.log.warn("the server ended and is started again");
    this.status.set("starting");
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** (this.deaths.length - 1)));
    if (this.client === client) {
      await this.replace((isLatest) => this.launch(isLatest));
    }
  }

  private giveUp(why: string): void {
    this.status.set("stopped");
    void window.showErrorMessage(`Pirouette: ${why}.`, "Show Log", "Restart").then((chosen) => {
      if (chosen === "Show Log") {
        this.log.show();
      } else if (chosen === "Restart") {
        void this.start();
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
