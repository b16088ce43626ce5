"""One edit session for each open document, under one memory budget."""

from collections import OrderedDict

from completion.edit_session import EditSession
from models.decoder import Decoder


class EditSessions:
    """Sessions by document; the least recently used ones give way to others.

    A session is counted with the memory of its whole capacity. The one in use is never given up,
    however small the budget.
    """

    def __init__(self, decoder: Decoder, capacity: int, budget_bytes: int) -> None:
        self._decoder = decoder
        self._capacity = capacity
        self._most = max(1, budget_bytes // decoder.cache_bytes(capacity))
        self._sessions: OrderedDict[str, EditSession] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def of(self, document: str) -> EditSession:
        """The document's session, which is now the most recently used one."""
        session = self._sessions.pop(document, None)
        if session is None:
            while len(self._sessions) >= self._most:
                self._sessions.popitem(last=False)
            session = EditSession(self._decoder, self._capacity)
        self._sessions[document] = session
        return session

    def fork(self, document: str, other: str) -> None:
        """Let another document begin with a copy of a document's session."""
        copied = self.of(document).copy()
        self.of(other)  # makes room
        self._sessions[other] = copied

    def close(self, document: str) -> None:
        """Give up the session of a document that is closed."""
        self._sessions.pop(document, None)
