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
  /** What is offered: the first is shown, the others on request. */
  texts: string[];
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

  /** The server has suggested texts for a place, with the document's line ends. The one before it, if it is still open, goes on or is rejected. */
  offer(document: TextDocument, begin: Position, position: Position, texts: string[]): void {
    const uri = document.uri.toString();
    const start = document.offsetAt(begin); // before the cursor, where an item is chosen in the menu
    const typed = document.offsetAt(position) - start;
    const before = this.open;
    if (before?.uri === uri && before.start + before.typed === start + typed) {
      const rests = texts.map((text) => text.slice(typed));
      const same = before.texts.find((text) => rests.includes(text.slice(before.typed)));
      if (same !== undefined) {
        before.texts = rests.map((text) => same.slice(0, before.typed) + text);
        return;
      }
    }
    this.reject();
    this.open = { uri, language: document.languageId, start, texts, typed };
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
    const at = (change?.rangeOffset ?? 0) - open.start;
    if (change === undefined || others.length > 0 || at < 0 || at + change.rangeLength !== open.typed) {
      this.reject();
      return;
    }
    const texts = open.texts.filter((text) => text.startsWith(change.text, at));
    if (texts.length === 0) {
      this.reject();
      return;
    }
    open.texts = texts;
    open.typed = at + change.text.length;
    if (texts.some((text) => text.length === open.typed)) {
      this.accept();
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
