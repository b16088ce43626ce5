/** Work that only one window at a time may do, as all of them share the extension's folder. */
import { readFile, rm, writeFile } from "node:fs/promises";

/** Does the work and returns true; false, at once, where another window, or this one, is at it. */
export async function alone(lock: string, work: () => Promise<void>): Promise<boolean> {
  if (!(await taken(lock))) {
    return false;
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
  return true;
}

/** The file has the number of the process that works; one that was cut off has left it behind. */
async function taken(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, `${process.pid}`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
    if (isAlive(Number(await readFile(lock, "utf8")))) {
      return false;
    }
    await rm(lock, { force: true });
    return taken(lock);
  }
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch {
    return false;
  }
}
