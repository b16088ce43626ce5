/** What happens to a request for suggestions on its way to the server, and to the answer on its way back. */
import type { InlineCompletionItem, InlineCompletionList } from "vscode";
import type { Middleware } from "vscode-languageclient/node";
import type { Counts } from "./counts";
import { isOn } from "./settings";

type Provide = NonNullable<Middleware["provideInlineCompletionItems"]>;

/** Nothing is asked where the user wants no suggestions; what is answered is counted. */
export function provideWith(counts: Counts): Provide {
  return async (document, position, context, token, next) => {
    if (!isOn(document.languageId)) {
      return undefined;
    }
    const answer = await next(document, position, context, token);
    const items = itemsOf(answer);
    for (const item of items) {
      item.command = { command: "pirouette.accepted", title: "Count it" };
    }
    const texts = items.flatMap(({ insertText }) => (typeof insertText === "string" ? [insertText] : []));
    if (texts.length > 0 && !token.isCancellationRequested) {
      counts.offer(document, items[0]?.range?.start ?? position, position, texts);
    }
    return answer;
  };
}

function itemsOf(answer: InlineCompletionItem[] | InlineCompletionList | null | undefined) {
  return Array.isArray(answer) ? answer : (answer?.items ?? []);
}
