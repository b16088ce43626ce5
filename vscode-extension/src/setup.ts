/** Setting up the server in its own environment, with the user's consent and before the user's eyes. */
import { type LogOutputChannel, ProgressLocation, window } from "vscode";
import { type Environment, SetUpError } from "./environment";
import { configuration } from "./settings";

/** What is needed beyond the server, and what for. */
const NEEDS = {
  "": "Pirouette completes code with a model on this machine. Its server is a Python program; with what it needs it takes about 2 GB, in a folder of its own. The model, 0.5 GB more, is fetched after that.",
  evaluation: "Evaluating needs further Python packages, about 0.5 GB, in Pirouette's own environment.",
};

/** Whether the server is there in the end. */
export async function setUp(
  environment: Environment,
  log: LogOutputChannel,
  extra: keyof typeof NEEDS = "",
): Promise<boolean> {
  const wasReady = environment.isReady(extra);
  const chosen = await window.showInformationMessage(NEEDS[extra], "Set Up", "Not Now");
  if (chosen !== "Set Up") {
    return false;
  }
  if (!wasReady && environment.isReady(extra)) {
    return true; // another window has done it while this one asked
  }
  const shown = { location: ProgressLocation.Notification, title: "Pirouette", cancellable: true };
  return window.withProgress(shown, async (progress, token) => {
    const tell = (message: string) => {
      log.info(message);
      progress.report({ message });
    };
    try {
      await environment.install(configuration().get("python", ""), extra, tell, token);
      return true;
    } catch (error) {
      const why = error instanceof SetUpError ? error.message : `could not be set up: ${error}`;
      log.error(why);
      void window.showErrorMessage(`Pirouette ${why}.`);
      return false;
    }
  });
}
