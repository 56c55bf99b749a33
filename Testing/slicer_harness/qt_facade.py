"""A module ``qt`` over PySide6 with the manners of PythonQt, the binding that Slicer uses.

Qt's properties are attributes, signals connect by name (``button.connect("clicked(bool)", f)``), all classes lie in one
flat namespace, and a plain Qt object refuses attributes that it does not have. PySide6's classes are changed in place,
because Qt itself makes objects of them (layouts, headers, the children of a .ui file).
"""

from __future__ import annotations

import inspect
import os
import sys
import types
from collections.abc import Callable
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import shiboken6
from PySide6 import QtCore, QtGui, QtTest, QtWidgets

LIBRARIES = (QtCore, QtGui, QtWidgets)


class QtProperty:
    """A Qt property as an attribute. On the class it gives PySide's own function, such as ``QTimer.singleShot``."""

    def __init__(self, name: str, function: Any) -> None:
        self.name = name
        self.function = function
        self._asked: set[int] = set()

    def __get__(self, owner: Any, owner_class: type) -> Any:
        if owner is None or id(owner) in self._asked:
            return self._own_function(owner, owner_class)
        self._asked.add(id(owner))
        try:
            return QtCore.QObject.property(owner, self.name)
        finally:
            self._asked.discard(id(owner))

    def _own_function(self, owner: Any, owner_class: type) -> Any:
        """What PySide has here: asked for on the class, or by Qt, which looks for an override of a virtual getter."""
        if self.function is None:
            raise AttributeError(f"type object {owner_class.__name__!r} has no attribute {self.name!r}")
        return self.function if owner is None else self.function.__get__(owner, owner_class)

    def __set__(self, owner: Any, value: Any) -> None:
        if self.name in STATIC:
            raise AttributeError(f"{type(owner).__name__}.{self.name} is a function that is called")
        if value is None and self.name != "parent":
            value = self._of_none(owner)
        if not QtCore.QObject.setProperty(owner, self.name, value):
            raise AttributeError(f"cannot set {type(owner).__name__}.{self.name} to {value!r}")

    def _of_none(self, owner: Any) -> Any:
        """What PythonQt makes of None: the text 'None' for a text, and an error for anything else."""
        if isinstance(QtCore.QObject.property(owner, self.name), str):
            return "None"
        raise AttributeError(f"cannot set {type(owner).__name__}.{self.name} to None")


#: Properties that PythonQt hides behind a function of the same name.
STATIC = {"singleShot"}


def signal_name(signature: str) -> tuple[str, int]:
    """The name of a signal and how many arguments it passes, from ``clicked(bool)``."""
    name, _, arguments = signature.partition("(")
    arguments = arguments.rstrip(") ").strip()
    return name.strip(), arguments.count(",") + 1 if arguments else 0


def with_as_many_arguments_as_it_takes(function: Callable, offered: int) -> Callable:
    """PythonQt passes a callable the first arguments of a signal, as many as it takes; PySide counts exactly."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a function of C++ tells no signature
        parameters = []
    else:
        if not any(p.kind is p.VAR_POSITIONAL for p in parameters):
            offered = min(offered, sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters))
    return (
        lambda: function(),
        lambda a: function(a),
        lambda a, b: function(a, b),
        lambda a, b, c: function(a, b, c),
    )[offered]


class Connections:
    """What was connected by name, to be disconnected by name."""

    def __init__(self) -> None:
        self._made: dict[int, list[tuple[str, Callable, Callable]]] = {}

    @staticmethod
    def _signal(sender: Any, name: str, signature: str) -> Any:
        """The signal of a signature; a wrong one is an error, where PythonQt connects nothing and returns False."""
        signal = getattr(sender, name, None)
        if not hasattr(signal, "connect") or not has_signature(sender, name, signature):
            raise ValueError(f"{type(sender).__name__} has no signal {signature}")
        return signal

    @staticmethod
    def _function(target: Any, slot: str | None) -> Callable:
        return target if slot is None else getattr(target, signal_name(slot)[0])

    def connect(self, sender: Any, signature: str, target: Any, slot: str | None = None) -> bool:
        name, offered = signal_name(signature)
        function = self._function(target, slot)
        adapted = with_as_many_arguments_as_it_takes(function, offered)
        self._signal(sender, name, signature).connect(adapted)
        here = address(sender)
        if here not in self._made:
            self._made[here] = []
            sender.destroyed.connect(lambda: self._made.pop(here, None))
        self._made[here].append((name, function, adapted))
        return True

    def disconnect(self, sender: Any, signature: str, target: Any = None, slot: str | None = None) -> bool:
        name, _ = signal_name(signature)
        function = None if target is None else self._function(target, slot)
        made = self._made.get(address(sender), [])
        found = [entry for entry in made if entry[0] == name and function in (None, entry[1])]
        for entry in found:
            self._signal(sender, name, signature).disconnect(entry[2])
            made.remove(entry)
        return bool(found)


def has_signature(sender: Any, name: str, signature: str) -> bool:
    """Whether a signature has brackets and, for a signal of Qt's own, the types of its arguments."""
    described = sender.metaObject()
    signals = [described.method(n) for n in range(described.methodCount())]
    own = {
        bytes(s.methodSignature().data()).decode()
        for s in signals
        if s.methodType() == QtCore.QMetaMethod.MethodType.Signal and bytes(s.name().data()).decode() == name
    }
    # Signals of doubles are written in Python, which does not know the types of Slicer's.
    of_python = any("PyObject" in known for known in own) or not type(sender).__module__.startswith("PySide6")
    normalize: Any = QtCore.QMetaObject.normalizedSignature  # takes a text, whatever its stub says
    normalized = bytes(normalize(signature).data()).decode()
    return signature.endswith(")") and "(" in signature and (of_python or normalized in own)


def address(obj: Any) -> int:
    """Where the C++ object of a wrapper lies."""
    return shiboken6.getCppPointer(obj)[0]


CONNECTIONS = Connections()
original_attribute = QtCore.QObject.__getattribute__
original_assignment = shiboken6.Object.__setattr__


def connect(self: Any, signal: Any, *target: Any) -> Any:
    """``object.connect("clicked(bool)", function)`` or ``(..., receiver, "slot()")``."""
    if not isinstance(signal, str):
        return original_attribute(self, "connect")(signal, *target)
    return CONNECTIONS.connect(self, signal, *target)


def disconnect(self: Any, *signal_and_target: Any) -> Any:
    """Takes a connection back that ``connect`` made."""
    if not signal_and_target or not isinstance(signal_and_target[0], str):
        return original_attribute(self, "disconnect")(*signal_and_target)
    return CONNECTIONS.disconnect(self, *signal_and_target)


def attribute(self: Any, name: str) -> Any:
    """PySide answers ``connect`` of an instance itself, before any class is asked."""
    if name == "connect":
        return types.MethodType(connect, self)
    if name == "disconnect":
        return types.MethodType(disconnect, self)
    try:
        return original_attribute(self, name)
    except RuntimeError as error:  # PySide's word for what PythonQt calls a ValueError
        if not shiboken6.isValid(self):
            raise ValueError(f"the C++ object of this {type(self).__name__} was already deleted") from error
        raise


def assignment(self: Any, name: str, value: Any) -> None:
    """A plain Qt object takes no new attributes; a subclass written in Python does."""
    nothing = object()
    declared = next((vars(known)[name] for known in type(self).__mro__ if name in vars(known)), nothing)
    if declared is nothing and type(self).__module__.startswith("PySide6"):
        raise AttributeError(
            f"Attribute '{name}' does not exist on {type(self).__name__}"
            " and creating new attributes on it is not allowed"
        )
    if isinstance(declared, QtCore.Property):  # of a double; PySide would take it for a new attribute
        QtCore.QObject.setProperty(self, name, value)
    else:
        original_assignment(self, name, value)


class QtNamespace(types.ModuleType):
    """All classes of QtCore, QtGui, QtWidgets and QtTest under one name, as PythonQt gives them."""

    application: QtCore.QCoreApplication

    def __getattr__(self, name: str) -> Any:
        for library in (*LIBRARIES, QtTest):
            if hasattr(library, name):
                return getattr(library, name)
        raise AttributeError(f"module 'qt' has no attribute {name!r}")


def qt_classes() -> list[type[QtCore.QObject]]:
    """Every class of Qt with properties and signals; PySide makes them when they are asked for."""
    found = [getattr(library, name) for library in LIBRARIES for name in dir(library)]
    return [c for c in found if isinstance(c, type) and issubclass(c, QtCore.QObject)]


def teach_manners() -> None:
    """Change PySide6's classes in place."""
    for qt_class in qt_classes():
        described: Any = qt_class.staticMetaObject  # type: ignore[attr-defined]
        for index in range(described.propertyCount()):
            name = described.property(index).name()
            if index >= described.propertyOffset() or name in vars(qt_class):
                setattr(qt_class, name, QtProperty(name, qt_class.__dict__.get(name)))
        qt_class.__setattr__ = assignment  # type: ignore[method-assign]
    base: Any = QtCore.QObject
    base.__getattribute__ = attribute
    base.name = QtProperty("objectName", None)
    base.className = lambda self: self.metaObject().className()
    base.delete = lambda self: shiboken6.delete(self)


def install() -> types.ModuleType:
    """The module ``qt``; the first call changes PySide6's classes and starts a QApplication."""
    if "qt" not in sys.modules:
        application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])
        teach_manners()
        namespace = QtNamespace("qt")
        namespace.application = application  # Qt ends with its last reference
        sys.modules["qt"] = namespace
    return sys.modules["qt"]
