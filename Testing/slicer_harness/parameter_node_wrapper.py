"""Double of ``slicer.parameterNodeWrapper``: typed fields of a parameter node, bound to widgets.

It knows the field types and pairs of type and widget listed below and refuses others. Slicer's own knows more, stores
what it knows under the same names and in the same text.
"""

from __future__ import annotations

import dataclasses
import enum
import pathlib
import types
import typing
from collections.abc import Callable
from typing import Any

import slicer
import slicer.util
import vtk

from Testing.slicer_harness import qt_facade

qt = qt_facade.install()

PROPERTY_OF_WIDGETS = "SlicerParameterName"


@dataclasses.dataclass
class Default:
    """The value of a field that the scene has not."""

    value: Any = None


class Validator:
    """Refuses values of a field."""

    def validate(self, value: Any) -> None:
        """Raises ValueError for a value that is refused."""


@dataclasses.dataclass
class WithinRange(Validator):
    """From minimum to maximum, both included."""

    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], is {value}")


@dataclasses.dataclass
class Minimum(Validator):
    """This or more."""

    minimum: float

    def validate(self, value: Any) -> None:
        if value < self.minimum:
            raise ValueError(f"Value must be greater than {self.minimum}, is {value}")


@dataclasses.dataclass
class Maximum(Validator):
    """This or less."""

    maximum: float

    def validate(self, value: Any) -> None:
        if value > self.maximum:
            raise ValueError(f"Value must be less than {self.maximum}, is {value}")


@dataclasses.dataclass
class Choice(Validator):
    """One of these."""

    choices: list

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"Value is {value}, but must be in one of the following: {self.choices}")


@dataclasses.dataclass(frozen=True)
class FieldKind:
    """How values of a type become text of the parameter node."""

    default: Callable[[], Any]
    to_text: Callable[[Any], str] = str
    from_text: Callable[[str], Any] = str


KINDS = {
    bool: FieldKind(lambda: False, lambda value: "True" if value else "False", lambda text: text == "True"),
    int: FieldKind(lambda: 0, from_text=int),
    float: FieldKind(lambda: 0, from_text=float),
    str: FieldKind(lambda: ""),
    pathlib.Path: FieldKind(pathlib.Path, from_text=pathlib.Path),
}


def enum_kind(enumeration: type[enum.Enum]) -> FieldKind:
    """Enumerations are stored by name."""
    return FieldKind(lambda: next(iter(enumeration)), lambda value: value.name, lambda text: enumeration[text])


def kind_of(field_type: type) -> FieldKind:
    """How a type is stored.

    Raises:
        NotImplementedError: this double does not know the type.
    """
    if field_type in KINDS:
        return KINDS[field_type]
    if isinstance(field_type, type) and issubclass(field_type, enum.Enum):
        return enum_kind(field_type)
    raise NotImplementedError(f"the harness's parameter nodes store no {field_type}")


def without_none(field_type: Any) -> Any:
    """``vtkMRMLNode`` of ``vtkMRMLNode | None``; a node may always be absent."""
    if typing.get_origin(field_type) in (typing.Union, types.UnionType):
        kinds = [t for t in typing.get_args(field_type) if t is not type(None)]
        return kinds[0] if len(kinds) == 1 else field_type
    return field_type


def is_node_type(field_type: Any) -> bool:
    return isinstance(field_type, type) and issubclass(field_type, slicer.vtkMRMLNode)


class Field:
    """A typed field as an attribute of the wrapper."""

    def __init__(self, name: str, annotation: Any, given_default: Any) -> None:
        arguments = typing.get_args(annotation) if hasattr(annotation, "__metadata__") else (annotation,)
        self.name = name
        self.type = without_none(arguments[0])
        self.validators = [a for a in arguments[1:] if isinstance(a, Validator)]
        self.is_node = is_node_type(self.type)
        self.kind = FieldKind(lambda: None) if self.is_node else kind_of(self.type)
        defaults = [a.value for a in arguments[1:] if isinstance(a, Default)]
        self.default = given_default if given_default is not ... else defaults[0] if defaults else self.kind.default()

    def check(self, value: Any) -> None:
        """Raises TypeError or ValueError for what the field does not take."""
        if value is None and not self.is_node:
            raise ValueError("Value must not be None")
        allowed = (int, float) if self.type is float else self.type
        if value is not None and not isinstance(value, allowed):
            raise TypeError(f"Value must be of type '{self.type}', is type '{type(value)}' value '{value}'")
        for validator in self.validators:
            validator.validate(value)

    def read(self, node: Any) -> Any:
        if self.is_node:
            return node.GetNodeReference(self.name)
        if not node.HasParameter(self.name):
            self.write(node, self.default)
        return self.kind.from_text(node.GetParameter(self.name))

    def write(self, node: Any, value: Any) -> None:
        self.check(value)
        if self.is_node:
            node.SetParameter(self.name, "")
            node.SetNodeReferenceID(self.name, None if value is None else value.GetID())
        else:
            node.SetParameter(self.name, self.kind.to_text(value))

    def __get__(self, wrapper: Any, owner: type) -> Any:
        return self if wrapper is None else wrapper.kept[self.name]

    def __set__(self, wrapper: Any, value: Any) -> None:
        with slicer.util.NodeModify(wrapper.parameterNode):
            self.write(wrapper.parameterNode, value)
            wrapper.kept[self.name] = self.read(wrapper.parameterNode)


class Connector:
    """A widget that shows a field."""

    def __init__(self, widget: Any, read: Callable[[], Any], write: Callable[[Any], None], changed: Any) -> None:
        self.widget = widget
        self.read = read
        self.write = write
        self.changed = changed
        self._slot: Callable | None = None

    def connect(self, on_change: Callable[[], None]) -> None:
        self._slot = lambda *_: on_change()
        self.changed.connect(self._slot)

    def disconnect(self) -> None:
        self.changed.disconnect(self._slot)


def property_connector(widget: Any, name: str, changed: Any) -> Connector:
    """A field that is one property of its widget."""
    return Connector(widget, lambda: getattr(widget, name), lambda value: setattr(widget, name, value), changed)


def number_connector(widget: Any, field: Field) -> Connector:
    """Spin boxes take the field's limits, or none."""
    unlimited = 2**31 - 1 if field.type is int else float("inf")
    lowest, highest = -unlimited, unlimited
    for limit in field.validators:
        lowest = getattr(limit, "minimum", lowest)
        highest = getattr(limit, "maximum", highest)
    widget.setRange(lowest, highest)
    return property_connector(widget, "value", widget.valueChanged)


def list_connector(widget: Any, choices: list[tuple[str, Any]]) -> Connector:
    """A combo box is filled with the field's choices; what it held before is gone, as in Slicer."""
    values = [value for _, value in choices]
    widget.clear()
    widget.addItems([label for label, _ in choices])

    def write(value: Any) -> None:
        widget.currentIndex = values.index(value)

    return Connector(widget, lambda: values[widget.currentIndex], write, widget.currentIndexChanged)


def combo_box_connector(widget: Any, field: Field) -> Connector:
    choice = next((v for v in field.validators if isinstance(v, Choice)), None)
    if choice is not None:
        return list_connector(widget, [(str(c), c) for c in choice.choices])
    if isinstance(field.type, type) and issubclass(field.type, enum.Enum):
        label = getattr(field.type, "label", lambda member: member.name)
        return list_connector(widget, [(label(member), member) for member in field.type])
    raise RuntimeError("ComboBoxToStringableConnector requires the Choice annotation to be used.")


def node_connector(widget: Any, field: Field) -> Connector:
    widget.nodeTypes = [field.type.__name__]
    return Connector(widget, widget.currentNode, widget.setCurrentNode, widget.currentNodeChanged)


def connector_of(widget: Any, field: Field) -> Connector:
    """The pair of widget and type, as Slicer knows it.

    Raises:
        RuntimeError: Slicer, or this double, has no such pair.
    """
    kind = type(widget).__name__
    if field.is_node and kind == "qMRMLNodeComboBox":
        return node_connector(widget, field)
    if field.type is bool and kind == "QCheckBox":
        return property_connector(widget, "checked", widget.stateChanged)
    if field.type is bool and kind == "QPushButton":
        widget.checkable = True
        return property_connector(widget, "checked", widget.toggled)
    if (field.type, kind) in ((int, "QSpinBox"), (int, "QSlider"), (float, "QDoubleSpinBox")):
        return number_connector(widget, field)
    if field.type is str and kind == "QLineEdit":
        return property_connector(widget, "text", widget.textChanged)
    if kind == "QComboBox":
        return combo_box_connector(widget, field)
    raise RuntimeError(f"Unable to create GUI connector from datatype '{field.type}' to widget type '{kind}'")


class Wrapper:
    """What the decorator adds to a class of fields.

    As Slicer's, it keeps the values and reads them again only when the parameter node is modified, so that a removed
    node may still be there.
    """

    allParameters: typing.ClassVar[dict[str, Field]]

    def __init__(self, parameterNode: Any) -> None:
        self.parameterNode = parameterNode
        self._connected: dict[int, dict[str, Connector]] = {}
        self._next_tag = 0
        self._updating = False
        for field in self.allParameters.values():
            if not parameterNode.HasParameter(field.name):
                field.write(parameterNode, field.default)
        self.kept = {name: field.read(parameterNode) for name, field in self.allParameters.items()}
        parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent, self._update_widgets)

    def _field(self, name: str) -> Field:
        if name not in self.allParameters:
            raise ValueError(f"Cannot find a param with the given name: {name}")
        return self.allParameters[name]

    def _read_again(self) -> None:
        self.kept.update({name: field.read(self.parameterNode) for name, field in self.allParameters.items()})

    def getValue(self, name: str) -> Any:
        return self.kept[self._field(name).name]

    def setValue(self, name: str, value: Any) -> None:
        self._field(name).__set__(self, value)

    def default(self, name: str) -> Default:
        return Default(self._field(name).default)

    def connectGui(self, gui: Any) -> int:
        """Binds widgets that have the property SlicerParameterName: children of a widget, attributes of an object."""
        is_widget = getattr(gui, "isWidgetType", lambda: False)()
        widgets = gui.findChildren(qt.QWidget) if is_widget else vars(gui).values()
        named = {widget.property(PROPERTY_OF_WIDGETS): widget for widget in widgets}
        return self.connectParametersToGui({name: widget for name, widget in named.items() if name})

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        connectors = {name: connector_of(widget, self._field(name)) for name, widget in mapping.items()}
        tag, self._next_tag = self._next_tag, self._next_tag + 1
        self._connected[tag] = connectors
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.connect(lambda name=name, connector=connector: self._take(name, connector))  # type: ignore[misc]
        return tag

    def disconnectGui(self, guiTag: int | None) -> None:
        for connector in self._connected.pop(guiTag, {}).values():  # type: ignore[arg-type]
            connector.disconnect()

    def _take(self, name: str, connector: Connector) -> None:
        if not self._updating:
            self.setValue(name, connector.read())

    def _update_widgets(self, *_: Any) -> None:
        self._read_again()  # VTK calls observers that were added later, those of the module, before this one
        if self._updating:
            return
        self._updating = True
        try:
            for connectors in self._connected.values():
                for name, connector in connectors.items():
                    connector.write(self.getValue(name))
        finally:
            self._updating = False

    def AddObserver(self, event: Any, callback: Callable, priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def StartModify(self) -> int:
        return self.parameterNode.StartModify()

    def EndModify(self, wasModified: int) -> None:
        self.parameterNode.EndModify(wasModified)

    def Modified(self) -> None:
        self.parameterNode.Modified()


def parameterNodeWrapper(classtype: type | None = None) -> Any:
    """Class decorator: typed access to a parameter node."""
    if classtype is None:
        return parameterNodeWrapper
    hints = typing.get_type_hints(classtype, include_extras=True)
    fields = {name: Field(name, hint, vars(classtype).get(name, ...)) for name, hint in hints.items()}
    for name in fields:
        if hasattr(Wrapper, name):
            raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
    inside = {"__module__": classtype.__module__, "__doc__": classtype.__doc__, "allParameters": fields}
    return type(classtype.__name__, (Wrapper, classtype), fields | inside)
