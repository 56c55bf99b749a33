"""Weights in the panel: fetched, taken from a file, deleted, and never without the user's agreement."""

import time

import pytest
from huggingface_hub import constants

from SegAnyPETLib.models.weights import store
from Testing.hub_server import Hub, serving

pytestmark = pytest.mark.usefixtures("small_models", "home")


@pytest.fixture
def hub(checkpoint, tmp_path, monkeypatch):
    """A hub with the published files, each a small checkpoint."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "HF_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1 << 14)
    content = checkpoint.read_bytes()
    with serving(Hub({"seganypet_v2.pth": content, "seganypet_lesion.pth": content})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def user(unopened):
    """The panel with the published lesion model chosen, which is not there."""
    unopened.ui.modelButton.collapsed = False
    unopened.ui.modelSelector.currentText = "lesion"
    unopened.rest()
    return unopened


def answers(user, *given):
    user.harness.dialogs.answers += given


def test_what_comes_with_the_extension_needs_nothing(unopened) -> None:
    assert unopened.ui.weightsLabel.text == "The weights come with SegAnyPET."
    assert not unopened.ui.fetchButton.enabled
    assert not unopened.ui.deleteWeightsButton.enabled


def test_weights_are_fetched_after_the_terms_were_shown(user, hub) -> None:
    assert user.ui.weightsLabel.text == "The weights are not on this computer."
    answers(user, True)
    user.press("fetchButton")
    user.rest()
    asked = user.harness.dialogs.shown[-1].text
    assert "https://huggingface.co/YichiZhang98/SegAnyPET" in asked
    assert "state no licence" in asked
    assert "Research use only" in asked
    assert user.status == "The weights of lesion are on this computer now."
    assert user.ui.weightsLabel.text.startswith("On this computer: 3 MB from YichiZhang98/SegAnyPET@")
    assert list(store.installed()) == ["lesion"]


def test_without_agreement_nothing_is_asked_of_the_hub(user, hub) -> None:
    answers(user, False)
    user.press("fetchButton")
    user.rest()
    assert hub.requests == []
    assert store.installed() == {}


def test_a_download_shows_its_progress_and_can_be_cancelled_and_gone_on_with(user, hub, monkeypatch) -> None:
    from SegAnyPETPanel.actions.errand import Errand

    shown = []
    tell = Errand.tell

    def slowly(errand, done, total):
        tell(errand, done, total)
        time.sleep(0.05)

    monkeypatch.setattr(Errand, "tell", slowly)
    answers(user, True)
    user.press("fetchButton")

    def some_progress():
        shown.append((user.ui.progressBar.visible, user.ui.progressBar.value, user.ui.progressBar.maximum))
        return 0 < user.ui.progressBar.value < user.ui.progressBar.maximum

    user.until(some_progress)
    assert shown[-1][0]
    user.press("cancelButton")
    user.rest()
    assert user.status == "Cancelled; nothing was changed."
    assert store.installed() == {}
    monkeypatch.setattr(Errand, "tell", tell)
    answers(user, True)
    user.press("fetchButton")
    user.rest()
    assert list(store.installed()) == ["lesion"]
    assert hub.ranges()[-1] is not None  # what was there was not fetched again


def test_a_hub_that_is_not_there_is_a_sentence(user, monkeypatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    answers(user, True)
    user.press("fetchButton")
    user.rest()
    assert user.status.startswith("The hub cannot be reached")
    assert user.panel.queue.idle


def test_weights_come_from_a_file_after_the_terms_were_shown(user, checkpoint) -> None:
    answers(user, str(checkpoint), True)
    user.press("fromFileButton")
    user.rest()
    assert "state no licence" in user.harness.dialogs.shown[-1].text
    assert store.installed()["lesion"].source == checkpoint.name


def test_a_file_that_holds_no_network_is_refused(user, tmp_path) -> None:
    other = tmp_path / "other.pth"
    other.write_bytes(b"no checkpoint")
    answers(user, str(other), True)
    user.press("fromFileButton")
    user.rest()
    assert user.status.startswith("Other.pth is not a checkpoint")
    assert store.installed() == {}


def test_no_file_chosen_is_no_question(user) -> None:
    answers(user, "")
    user.press("fromFileButton")
    user.rest()
    assert store.installed() == {}


def test_weights_can_be_deleted(user, checkpoint, home) -> None:
    answers(user, str(checkpoint), True)
    user.press("fromFileButton")
    user.rest()
    answers(user, True)
    user.press("deleteWeightsButton")
    user.rest()
    assert store.installed() == {}
    assert [path.suffix for path in home.iterdir() if path.suffix == ".pth"] == []
    assert user.ui.weightsLabel.text == "The weights are not on this computer."


def test_a_click_with_a_model_whose_weights_are_absent_names_the_buttons(user) -> None:
    user.add_pet()
    user.use_choice(location="inside", model="lesion")
    user.click((12, 12, 10))
    assert user.status == "The weights of lesion are not on this computer; press Fetch or From a file under Model."


def test_what_fetching_needs_is_installed_first_and_presses_meanwhile_wait(user, hub) -> None:
    user.harness.installations.lacking.add("huggingface_hub")
    user.harness.installations.meanwhile = lambda: user.ui.fetchButton.click()
    answers(user, True, True, True)
    user.press("fetchButton")
    user.rest()
    assert user.harness.installations.installed == ["huggingface_hub<3,>=1.0"]
    assert list(store.installed()) == ["lesion"]
