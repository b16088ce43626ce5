/** How often suggestions are accepted: counted by language, kept on this machine, sent nowhere. */
import type { Memento, Position, TextDocument, TextDocumentContentChangeEvent } from "vscode";

export interface Count {
  accepted: number;
  rejected: number;
}

/** A suggestion that is on the screen, as far as the extension can know. */
interface Open {
  uri: string;
  language: string;
  /** Where it begins, in characters from the start of the document. */
  start: number;
  text: string;
  /** How much of it has been typed or taken. */
  typed: number;
}

const KEY = "counts";

export class Counts {
  private open: Open | undefined;

  constructor(private readonly memory: Memento) {}

  all(): Record<string, Count> {
    return this.memory.get(KEY, {});
  }

  async clear(): Promise<void> {
    this.open = undefined;
    await this.memory.update(KEY, undefined);
  }

  /** The server has suggested a text for a place. The one before it, if it is still open, goes on or is rejected. */
  offer(document: TextDocument, position: Position, text: string): void {
    const uri = document.uri.toString();
    const start = document.offsetAt(position);
    const before = this.open;
    const goesOn =
      before !== undefined &&
      before.uri === uri &&
      before.start + before.typed === start &&
      before.text.slice(before.typed) === text;
    if (!goesOn) {
      this.reject();
      this.open = { uri, language: document.languageId, start, text, typed: 0 };
    }
  }

  /** The user has taken all that was left of the suggestion. */
  accept(): void {
    this.close("accepted");
  }

  /** A document was changed: what is typed of a suggestion keeps it open, anything else rejects it. */
  change(document: TextDocument, changes: readonly TextDocumentContentChangeEvent[]): void {
    const open = this.open;
    if (open === undefined || open.uri !== document.uri.toString() || changes.length === 0) {
      return;
    }
    const [change, ...others] = changes;
    const end = open.start + open.typed;
    if (change === undefined || others.length > 0) {
      this.reject();
      return;
    }
    const inserted = change.text.replaceAll("\r\n", "\n");
    const rest = open.text.slice(open.typed);
    if (change.rangeLength === 0 && change.rangeOffset === end && rest.startsWith(inserted)) {
      open.typed += inserted.length;
      if (open.typed === open.text.length) {
        this.accept();
      }
    } else if (
      inserted === "" &&
      change.rangeOffset >= open.start &&
      change.rangeOffset + change.rangeLength === end
    ) {
      open.typed = change.rangeOffset - open.start; // back into it
    } else {
      this.reject();
    }
  }

  private reject(): void {
    this.close("rejected");
  }

  private close(how: keyof Count): void {
    const { open } = this;
    this.open = undefined;
    if (open !== undefined) {
      const all = this.all();
      const count = all[open.language] ?? { accepted: 0, rejected: 0 };
      const counted = { ...count, [how]: count[how] + 1 };
      void this.memory.update(KEY, { ...all, [open.language]: counted });
    }
  }
}
