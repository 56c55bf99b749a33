"""The facade ``qt`` behaves as PythonQt does, in all that modules rely on."""

import pytest

from Testing.slicer_harness.system_libraries import skip_without_libraries


@pytest.fixture
def qt(uncaught):
    skip_without_libraries()
    from Testing.slicer_harness import qt_facade

    return qt_facade.install()


def test_properties_are_attributes(qt) -> None:
    button = qt.QPushButton("Apply")
    button.text, button.checkable, button.toolTip = "Segment", True, "now"
    assert (button.text, button.checked, button.enabled) == ("Segment", False, True)
    table = qt.QTableWidget(2, 3)
    table.selectionBehavior = qt.QAbstractItemView.SelectRows
    assert (table.rowCount, table.columnCount) == (2, 3)
    assert table.selectionBehavior == qt.QAbstractItemView.SelectRows


def test_getters_that_are_no_properties_stay_methods(qt) -> None:
    button = qt.QPushButton()
    button.checkable = True
    assert button.isChecked() is False
    assert qt.QTableWidget(1, 1).currentRow() == -1


def test_virtual_getters_are_properties_too_and_overrides_are_obeyed(qt) -> None:
    class Square(qt.QWidget):
        def sizeHint(self):
            return qt.QSize(77, 77)

    outer = qt.QWidget()
    layout = qt.QVBoxLayout(outer)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(Square())
    assert outer.sizeHint.width() == 77
    assert layout.spacing >= 0


def test_a_plain_object_refuses_what_it_has_not(qt) -> None:
    button = qt.QPushButton()
    with pytest.raises(AttributeError, match="creating new attributes"):
        button.lesion = 1
    with pytest.raises(AttributeError):
        button.lesion  # noqa: B018
    with pytest.raises(AttributeError, match="cannot set"):
        button.text = object()


def test_a_subclass_takes_new_attributes(qt) -> None:
    class Panel(qt.QWidget):
        pass

    panel = Panel()
    panel.lesion = 1
    assert panel.lesion == 1


def test_names_of_classes_and_objects(qt) -> None:
    label = qt.QLabel()
    label.name = "suvLabel"
    assert (label.objectName, label.className()) == ("suvLabel", "QLabel")
    with pytest.raises(AttributeError, match="'qt' has no attribute 'QNothing'"):
        qt.QNothing  # noqa: B018


@pytest.mark.parametrize("signature", ["clicked(bool)", "clicked()"])
def test_signals_connect_by_name_and_pass_what_the_function_takes(qt, signature: str) -> None:
    button, heard = qt.QPushButton(), []
    button.connect(signature, lambda: heard.append("none"))
    button.connect("clicked(bool)", lambda checked: heard.append(checked))
    button.click()
    assert heard == ["none", False]


def test_signals_connect_as_attributes(qt) -> None:
    box, heard = qt.QSpinBox(), []
    box.valueChanged.connect(heard.append)
    box.value = 3
    box.valueChanged.disconnect(heard.append)
    box.value = 4
    assert heard == [3]


def test_a_connection_by_name_is_taken_back_and_others_stay(qt) -> None:
    button, heard = qt.QPushButton(), []

    def first():
        heard.append("first")

    button.connect("clicked()", first)
    button.connect("clicked()", lambda: heard.append("second"))
    assert button.disconnect("clicked()", first)
    assert not button.disconnect("clicked()", first)
    button.click()
    assert heard == ["second"]


def test_a_connection_may_name_receiver_and_slot(qt) -> None:
    source, target = qt.QLineEdit(), qt.QLabel()
    source.connect("textChanged(QString)", target, "setText(QString)")
    source.text = "SUV"
    assert target.text == "SUV"


@pytest.mark.parametrize("signature", ["pressedTwice()", "clicked", "clicked(QString)", "clicked(bool, bool)"])
def test_a_signal_that_does_not_exist_is_refused(qt, signature: str) -> None:
    with pytest.raises(ValueError, match="QPushButton has no signal"):
        qt.QPushButton().connect(signature, print)


def test_none_is_a_text_or_an_error(qt) -> None:
    button, box = qt.QPushButton(), qt.QComboBox()
    button.text = None
    assert button.text == "None"
    with pytest.raises(AttributeError):
        box.currentIndex = None


def test_static_functions_live_beside_properties_of_their_name(qt) -> None:
    heard = []
    timer = qt.QTimer()
    with pytest.raises(AttributeError):
        timer.singleShot = True
    timer.setSingleShot(True)
    timer.interval = 1
    timer.connect("timeout()", lambda: heard.append("timer"))
    timer.start()
    qt.QTimer.singleShot(1, lambda: heard.append("static"))
    assert timer.active
    qt.QTest.qWait(50)
    assert sorted(heard) == ["static", "timer"]
    assert not timer.active


def test_a_deleted_object_is_gone_with_its_connections(qt) -> None:
    from Testing.slicer_harness.qt_facade import CONNECTIONS

    before = len(CONNECTIONS._made)
    button = qt.QPushButton()
    button.connect("clicked()", print)
    button.delete()
    assert len(CONNECTIONS._made) == before
    with pytest.raises(ValueError, match="already deleted"):
        button.text  # noqa: B018


def test_shortcuts_fire_on_keys(qt) -> None:
    window, heard = qt.QWidget(), []
    shortcut = qt.QShortcut(qt.QKeySequence("Ctrl+Shift+P"), window)
    shortcut.connect("activated()", lambda: heard.append(shortcut.key.toString()))
    window.show()
    window.activateWindow()
    qt.QTest.qWaitForWindowActive(window)
    qt.QTest.keyClick(window, qt.Qt.Key_P, qt.Qt.ControlModifier | qt.Qt.ShiftModifier)
    assert heard == ["Ctrl+Shift+P"]


def test_what_a_slot_raises_is_known_to_the_test(qt, uncaught) -> None:
    button = qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    button.click()
    assert isinstance(uncaught.pop(), ZeroDivisionError)
