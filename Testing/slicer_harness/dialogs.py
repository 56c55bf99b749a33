"""Messages and questions to the user, recorded; the test answers in the user's place."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import slicer.util

from Testing.slicer_harness import qt_facade

qt = qt_facade.install()


@dataclasses.dataclass(frozen=True)
class Message:
    """What the user was shown.

    Attributes:
        level: "info", "warning", "error", or "question" where an answer was asked for.
        text: the message.
        details: the text behind "Show details"; empty where there is none.
        title: of the window; empty where the default was taken.
    """

    level: str
    text: str
    details: str = ""
    title: str = ""


class Dialogs:
    """Stands between ``slicer.util`` and its message boxes, and before every modal dialog of Qt.

    Attributes:
        shown: what the user was shown, in order.
        answers: what the user will answer, in order: True or False for questions of ``slicer.util``, else what the
            dialog returns. A question without an answer here is an error of the test.
    """

    def __init__(self) -> None:
        self.shown: list[Message] = []
        self.answers: list[Any] = []

    @property
    def texts(self) -> list[str]:
        """What was said, without its circumstances."""
        return [message.text for message in self.shown]

    def _answer(self, text: str) -> Any:
        if not self.answers:
            raise AssertionError(f"the user was asked, and the test gave no answer: {text}")
        return self.answers.pop(0)

    def message_display(
        self,
        logLevel: int,
        text: str,
        testingReturnValue: Any,
        mainWindowNeeded: bool = False,
        parent: Any = None,
        windowTitle: str | None = None,
        **how: Any,
    ) -> Any:
        """In place of ``slicer.util._messageDisplay``, through which all its displays and confirmations go."""
        is_question = testingReturnValue is not None
        level = "question" if is_question else logging.getLevelName(logLevel).lower()
        self.shown.append(Message(level, text, how.get("detailedText", ""), windowTitle or ""))
        if not is_question:
            return None
        return button(how["standardButtons"], self._answer(text))

    def run_dialog(self, dialog: Any) -> Any:
        """In place of ``QDialog.exec``, which would wait for a user for ever."""
        text = dialog.text if isinstance(dialog, qt.QMessageBox) else dialog.windowTitle
        self.shown.append(Message("question", text, title=dialog.windowTitle))
        return self._answer(text)

    def ask(self, parent: Any, title: str, text: str, *buttons: Any) -> Any:
        """In place of ``QMessageBox.question`` and its like."""
        self.shown.append(Message("question", text, title=title))
        return self._answer(text)

    def file_name(self, parent: Any = None, caption: str = "", *where: Any) -> str:
        """In place of `QFileDialog.getOpenFileName` and `getSaveFileName`, which PythonQt lets return a text."""
        self.shown.append(Message("question", caption, title=caption))
        return str(self._answer(caption))

    def text(self, parent: Any, title: str, label: str, mode: Any = None, text: str = "") -> str:
        """In place of `QInputDialog.getText`, which PythonQt lets return a text."""
        return self.file_name(parent, label)

    def install(self, monkeypatch: Any) -> None:
        """Stand there until the end of a test."""
        monkeypatch.setattr(slicer.util, "_messageDisplay", self.message_display)
        monkeypatch.setattr(slicer.util, "messageBox", lambda text, parent=None, **how: self.ask(parent, "", text))
        for name in ("exec", "exec_"):
            for dialog in (qt.QDialog, qt.QMessageBox):
                monkeypatch.setattr(dialog, name, lambda box: self.run_dialog(box), raising=False)
        monkeypatch.setattr(qt.QInputDialog, "getText", staticmethod(self.text))
        for name in ("getOpenFileName", "getSaveFileName", "getExistingDirectory"):
            monkeypatch.setattr(qt.QFileDialog, name, staticmethod(self.file_name))
        for name in ("question", "warning", "information", "critical"):
            monkeypatch.setattr(qt.QMessageBox, name, staticmethod(self.ask))


def button(offered: Any, agreed: bool) -> Any:
    """The button of a question that says yes or no."""
    yes = (qt.QMessageBox.Ok, qt.QMessageBox.Yes, qt.QMessageBox.Retry)
    no = (qt.QMessageBox.Cancel, qt.QMessageBox.No, qt.QMessageBox.Close)
    return next(b for b in (yes if agreed else no) if offered & b)
