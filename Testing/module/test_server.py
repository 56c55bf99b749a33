"""The server of the panel: tested before it is used, with a certificate of the department's own authority."""

from dataclasses import replace

import pytest

from Testing.backend.certificates import make_certificate
from Testing.backend.hot import HotModel, engine
from Testing.backend.serving import TOKEN, serving


@pytest.fixture
def user(unopened):
    """The panel with a server chosen, whose address is not entered yet."""
    from SegAnyPETPanel.model.choice import LOCATIONS, SERVER

    unopened.ui.modelButton.collapsed = False
    unopened.ui.locationSelector.currentIndex = LOCATIONS.index(SERVER)
    unopened.rest()
    return unopened


def lite():
    """An engine whose model has the name that the panel asks for."""
    model = HotModel()
    model.spec = replace(model.spec, name="lite")
    return engine(model)


@pytest.fixture
def url():
    with serving([lite()], token=TOKEN) as found:
        yield found


def enter(user, address, token=TOKEN, certificate=""):
    user.ui.serverEdit.text, user.ui.tokenEdit.text, user.ui.certificateEdit.text = address, token, certificate
    user.press("testServerButton")
    user.rest()


def test_a_server_that_answers_says_what_it_runs_and_is_saved_without_its_token(user, url) -> None:
    import qt
    from SegAnyPETPanel.model.choice import savedChoice

    running = user.panel.models.model
    enter(user, url)
    assert user.status.startswith("The server answered in ")
    assert "it runs: lite (cpu, " in user.status
    assert savedChoice().server == url
    assert savedChoice().location == "worker"  # a test of the server does not choose it
    settings = qt.QSettings()
    assert all(TOKEN not in str(settings.value(key)) for key in settings.allKeys())
    assert user.panel.models.model is running


@pytest.mark.parametrize(
    ("address", "token", "said"),
    [
        ("", TOKEN, "The server's address is missing"),
        ("nowhere", TOKEN, "address"),
        ("http://127.0.0.1:9", TOKEN, "127.0.0.1"),
    ],
)
def test_a_server_that_does_not_answer_is_a_sentence_and_is_not_saved(user, address, token, said) -> None:
    from SegAnyPETPanel.model.choice import savedChoice

    enter(user, address, token)
    assert said in user.status
    assert savedChoice().server == ""


def test_a_server_without_the_chosen_model_names_those_that_it_has(user) -> None:
    with serving([engine()], token=TOKEN) as url:
        enter(user, url)
    assert user.status == "The server does not run the model 'lite'; it runs: hot."


def test_a_wrong_token_is_told(user, url) -> None:
    enter(user, url, "the-token-of-another-server")
    assert "token" in user.status


def test_a_test_can_be_cancelled(user) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and says nothing
        user.ui.serverEdit.text = f"http://127.0.0.1:{silent.getsockname()[1]}"
        user.press("testServerButton")
        user.until(lambda: user.panel.queue.job is not None)
        user.press("cancelButton")
        user.rest()
    assert user.status == "Cancelled; nothing was changed."


def test_a_certificate_of_the_departments_authority_is_chosen_used_and_saved(user, tmp_path) -> None:
    from SegAnyPETPanel.model.choice import savedChoice

    from SegAnyPETLib.backend.server.guards.bind import Address

    certificate, key = make_certificate(tmp_path)
    with serving([lite()], token=TOKEN, address=Address("127.0.0.1", 0, certificate, key)) as secure:
        enter(user, secure)
        assert not user.status.startswith("The server answered")
        user.harness.dialogs.answers += [str(certificate)]
        user.press("certificateButton")
        enter(user, secure, certificate=user.ui.certificateEdit.text)
        assert user.status.startswith("The server answered")
    assert savedChoice().certificate == str(certificate)


def test_a_click_goes_to_the_server_with_the_certificate(user, tmp_path) -> None:
    from SegAnyPETLib.backend.server.guards.bind import Address

    certificate, key = make_certificate(tmp_path)
    with serving([lite()], token=TOKEN, address=Address("127.0.0.1", 0, certificate, key)) as secure:
        enter(user, secure, certificate=str(certificate))
        user.add_pet()
        user.press("startButton")
        user.rest()
        assert user.status == "The model is ready."


def test_only_a_server_has_an_address(user) -> None:
    from SegAnyPETPanel.model.choice import LOCATIONS, WORKER

    names = ("serverEdit", "tokenEdit", "certificateEdit", "testServerButton")
    assert all(getattr(user.ui, name).enabled for name in names)
    user.ui.locationSelector.currentIndex = LOCATIONS.index(WORKER)
    assert not any(getattr(user.ui, name).enabled for name in names)
